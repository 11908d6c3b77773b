package queue

// Event is the event of messages.
var Event = event
