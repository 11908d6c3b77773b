package queue

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
)

// Attributes are settings by AWS's names.
type Attributes map[string]string

// The attributes that mean something here.
const (
	visibility = "VisibilityTimeout"             // seconds for which a received message is nobody else's
	delay      = "DelaySeconds"                  // before a message can be received
	maxSize    = "MaximumMessageSize"            // bytes
	retention  = "MessageRetentionPeriod"        // seconds
	wait       = "ReceiveMessageWaitTimeSeconds" // for which receiving waits
	fifo       = "FifoQueue"
	content    = "ContentBasedDeduplication"
	redrive    = "RedrivePolicy"
)

// bound is what a number may be.
type bound struct{ def, least, most int }

func bounds() map[string]bound {
	const day = 24 * 3600
	return map[string]bound{
		visibility: {30, 0, 12 * 3600}, delay: {0, 0, 900}, maxSize: {1 << 20, 1024, 1 << 20},
		retention: {4 * day, 60, 14 * day}, wait: {0, 0, 20},
	}
}

// kept are attributes that are kept and given back, and change nothing.
func kept() []string {
	return []string{
		"Policy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled", "RedriveAllowPolicy", "DeduplicationScope", "FifoThroughputLimit",
	}
}

func (a Attributes) number(name string) int {
	if n, err := strconv.Atoi(a[name]); err == nil {
		return n
	}
	return bounds()[name].def
}

func (a Attributes) seconds(name string) time.Duration {
	return time.Duration(a.number(name)) * time.Second
}

// FIFO reports whether messages of a group are in order, and each comes once within 5 minutes.
func (q Queue) FIFO() bool { return q.Attributes[fifo] == "true" }

// fifoSuffix ends the names of FIFO queues, and of no others.
const fifoSuffix = ".fifo"

// check returns Invalid for what a queue cannot be.
func (q Queue) check() error {
	bare, ends := strings.CutSuffix(q.Name, fifoSuffix)
	if !resource.GoodName(bare, 80) || ends != q.FIFO() {
		return aloft.Errorf(aloft.Invalid, "%q cannot be the name of a queue: letters, digits, - and _, and %s at the end of FIFO queues", q.Name, fifoSuffix)
	}
	for name, value := range q.Attributes {
		if b, ok := bounds()[name]; ok {
			if n, err := strconv.Atoi(value); err != nil || n < b.least || n > b.most {
				return aloft.Errorf(aloft.Invalid, "Invalid value for the parameter %s.", name)
			}
			continue
		}
		switch name {
		case fifo, content:
			if value != "true" && value != "false" {
				return aloft.Errorf(aloft.Invalid, "Invalid value for the parameter %s.", name)
			}
		case redrive:
			if _, err := parseRedrive(value); err != nil {
				return err
			}
		}
	}
	if q.Attributes[content] == "true" && !q.FIFO() {
		return aloft.Errorf(aloft.Invalid, "%s is an attribute of FIFO queues", content)
	}
	return nil
}

// Redrive says where messages go that are received too often.
type Redrive struct {
	Queue string // its name; "" is nowhere
	Max   int    // times that a message is received before
}

const maxReceives = 1000

func parseRedrive(text string) (Redrive, error) {
	if text == "" {
		return Redrive{}, nil
	}
	var p struct {
		Target string      `json:"deadLetterTargetArn"`
		Max    json.Number `json:"maxReceiveCount"` // in quotes too
	}
	bad := aloft.Errorf(aloft.Invalid, "Value %s for parameter %s is invalid.", text, redrive)
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return Redrive{}, bad
	}
	most, err := strconv.Atoi(p.Max.String())
	name, ok := strings.CutPrefix(p.Target, resource.ARN(aloft.Queue, ""))
	if !ok || name == "" || err != nil || most < 1 || most > maxReceives {
		return Redrive{}, bad
	}
	return Redrive{name, most}, nil
}

// Redrive is the queue's rule for messages that are received too often.
func (q Queue) Redrive() Redrive {
	r, _ := parseRedrive(q.Attributes[redrive]) // it was checked when it was set
	return r
}

// redriveText is a rule as the attribute holds it.
func redriveText(r Redrive) string {
	b, _ := json.Marshal(map[string]any{"deadLetterTargetArn": resource.ARN(aloft.Queue, r.Queue), "maxReceiveCount": r.Max}) // always encodes
	return string(b)
}
