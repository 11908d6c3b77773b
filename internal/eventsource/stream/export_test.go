package stream

// Event is the event of records.
var Event = event
