package proxy

import "time"

// Limits bound what strangers and apps may do. Zero fields take the defaults of DefaultLimits.
type Limits struct {
	ResponseHead int           // bytes of status line and headers an app may send
	Interim      int           // 1xx responses per request
	Stall        time.Duration // a transfer without any progress for so long ends
	MinRate      int           // bytes a second that a client has to deliver or take of a body, averaged over Stall
	Splices      int           // bodies at once that are moved inside the kernel; each takes two files meanwhile
	Dial         time.Duration // to connect to an instance
	Continue     time.Duration // wait for "100 Continue" before the body is sent anyway
	HangUp       time.Duration // an answer may still come, and the body be taken, so long after the client closed its side
}

// DefaultLimits returns the limits that apply unless others are given.
func DefaultLimits() Limits {
	return Limits{
		ResponseHead: 256 << 10, Interim: 32, Stall: time.Minute, MinRate: 256, Splices: 256, Dial: 10 * time.Second,
		Continue: time.Second, HangUp: 60 * time.Millisecond,
	}
}

// OrDefault returns l with the defaults in place of zero fields.
func (l Limits) OrDefault() Limits {
	d := DefaultLimits()
	for _, f := range []struct{ value, otherwise *time.Duration }{
		{&l.Stall, &d.Stall}, {&l.Dial, &d.Dial}, {&l.Continue, &d.Continue}, {&l.HangUp, &d.HangUp},
	} {
		if *f.value == 0 {
			*f.value = *f.otherwise
		}
	}
	for _, f := range []struct{ value, otherwise *int }{
		{&l.ResponseHead, &d.ResponseHead}, {&l.Interim, &d.Interim}, {&l.MinRate, &d.MinRate}, {&l.Splices, &d.Splices},
	} {
		if *f.value == 0 {
			*f.value = *f.otherwise
		}
	}
	return l
}
