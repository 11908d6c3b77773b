package topic

// Event is the event of a message.
var Event = event
