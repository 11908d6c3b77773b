package queue

// AttributesMD5 is the digest of the message's attributes that SQS tells receivers, "" without attributes.
func (m Message) AttributesMD5() string { return digestOf(m.Attributes) }
