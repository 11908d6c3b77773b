package cost

import (
	"regexp"
	"time"

	"github.com/aloft-run/aloft"
)

// DaysPerMonth is how long a month is here.
const DaysPerMonth = 30

const hoursPerDay, secondsPerDay = 24, 86400

// Arch is a processor's architecture, as Lambda names it.
type Arch string

// The architectures.
const (
	ARM64 Arch = "arm64"
	X86   Arch = "x86_64"
)

// Endpoint is what requests come through.
type Endpoint string

// The endpoints. Events come through none.
const (
	HTTPAPI     Endpoint = "http-api"
	RESTAPI     Endpoint = "rest-api"
	FunctionURL Endpoint = "function-url"
	NoEndpoint  Endpoint = ""
)

// DefaultMemory is what a function has that says nothing, in MB: as aloft's stacks give it. Lambda's own default is MinMemory.
const DefaultMemory = 1024

// Lambda's limits on what a function may be.
const (
	MinMemory     = 128 // MB
	MaxMemory     = 10240
	MaxDuration   = aloft.Duration(15 * time.Minute)
	maxRequests   = 1_000_000_000_000 // a day; more than all of Lambda has
	maxReady      = 100_000
	maxBytes      = 1 << 40
	meteredPieces = 512 << 10 // bytes of a request or its response that an HTTP API counts as one request
)

// Usage is what one function is asked to do in a day, and what it is.
type Usage struct {
	Function      string         `json:"function,omitempty"`
	Requests      Amount         `json:"requestsPerDay"`        // through the endpoint
	Events        Amount         `json:"eventsPerDay,omitzero"` // besides them
	Duration      aloft.Duration `json:"duration"`              // billed, of a request on average; Lambda bills whole milliseconds
	Memory        int            `json:"memory"`                // MB
	Arch          Arch           `json:"architecture"`
	Endpoint      Endpoint       `json:"endpoint,omitempty"`
	RequestBytes  int64          `json:"requestBytes,omitempty"`  // on average
	ResponseBytes int64          `json:"responseBytes,omitempty"` // on average; sent to the Internet if there is an endpoint
	LogBytes      int64          `json:"logBytes,omitempty"`      // of a request on average
	Provisioned   int            `json:"provisioned,omitempty"`   // instances kept ready
	ColdStarts    Amount         `json:"coldStartsPerDay,omitzero"`
	Init          aloft.Duration `json:"init,omitzero"` // of a cold start on average, billed since 2025-08-01
}

// check returns an Invalid error for what Lambda cannot be.
func (u Usage) check() error {
	switch {
	case u.Requests.Sign() < 0 || u.Events.Sign() < 0 || u.calls().Cmp(Int(maxRequests)) > 0:
		return aloft.Errorf(aloft.Invalid, "%s requests a day are out of range", u.calls().Short(0))
	case u.Duration < 0 || u.Duration > MaxDuration || u.Init < 0 || u.Init > MaxDuration:
		return aloft.Errorf(aloft.Invalid, "a duration of %s is out of range", u.Duration).WithHint("Lambda ends a request after %s", MaxDuration)
	case u.Memory < MinMemory || u.Memory > MaxMemory:
		return aloft.Errorf(aloft.Invalid, "a memory of %d MB is out of range", u.Memory).WithHint("Lambda has %d to %d MB", MinMemory, MaxMemory)
	case u.Arch != ARM64 && u.Arch != X86:
		return aloft.Errorf(aloft.Invalid, "the architecture %q is not known", u.Arch).WithHint("%s or %s", ARM64, X86)
	case u.Endpoint != HTTPAPI && u.Endpoint != RESTAPI && u.Endpoint != FunctionURL && u.Endpoint != NoEndpoint:
		return aloft.Errorf(aloft.Invalid, "the endpoint %q is not known", u.Endpoint).WithHint("%s, %s or %s", HTTPAPI, RESTAPI, FunctionURL)
	case u.Provisioned < 0 || u.Provisioned > maxReady:
		return aloft.Errorf(aloft.Invalid, "%d provisioned instances are out of range", u.Provisioned)
	case max(u.RequestBytes, u.ResponseBytes, u.LogBytes) > maxBytes || min(u.RequestBytes, u.ResponseBytes, u.LogBytes) < 0:
		return aloft.Errorf(aloft.Invalid, "a size is out of range")
	}
	return nil
}

var ratePattern = regexp.MustCompile(`^(\d{1,15}(?:\.\d{1,9})?)/(s|second|min|minute|hour|day|month)$`)

// ParseRate reads a rate such as "16000/day" or "2.5/s" as requests a day. It returns Invalid for anything else.
func ParseRate(text string) (perDay Amount, err error) {
	parts := ratePattern.FindStringSubmatch(text)
	if parts == nil {
		return Amount{}, aloft.Errorf(aloft.Invalid, "%q is no rate", text).WithHint("such as 16000/day, 500/hour, 2.5/s or 480000/month")
	}
	n, _ := Decimal(parts[1])
	switch parts[2] {
	case "s", "second":
		n = n.Times(Int(secondsPerDay))
	case "min", "minute":
		n = n.Times(Int(hoursPerDay * 60))
	case "hour":
		n = n.Times(Int(hoursPerDay))
	case "month":
		n = n.Over(Int(DaysPerMonth))
	}
	return n, nil
}

// seconds is a duration as an Amount.
func seconds(d aloft.Duration) Amount { return Int(int64(d)).Over(Int(int64(time.Second))) }

// calls is how often the function is invoked in a day.
func (u Usage) calls() Amount { return u.Requests.Plus(u.Events) }

// gb is the memory as Lambda bills it.
func (u Usage) gb() Amount { return Int(int64(u.Memory)).Over(Int(1024)) }

// pieces is how many requests an HTTP API counts for one.
func (u Usage) pieces() Amount {
	size := max(u.RequestBytes, u.ResponseBytes, 1)
	return Int((size + meteredPieces - 1) / meteredPieces)
}
