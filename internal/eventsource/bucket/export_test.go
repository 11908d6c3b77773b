package bucket

// Event is the event of a change.
var Event = event
