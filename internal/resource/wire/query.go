package wire

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"

	"github.com/aloft-run/aloft"
)

// Action answers a request of the query protocol with the content of its result element; nil is none.
type Action func(r *http.Request, form Form) (any, error)

// Query serves actions by the names that the form's Action has.
type Query struct {
	Namespace string // of the answers' XML
	Actions   map[string]Action
}

// Form is the parameters of a request.
type Form struct{ url.Values }

// ServeHTTP implements http.Handler.
func (q Query) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, MaxRequest)
	id := aloft.NewID()
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("X-Amzn-Requestid", id)
	if err := r.ParseForm(); err != nil {
		q.fail(w, Fail("MalformedInput", "the request cannot be read: %v", err), id)
		return
	}
	name := r.Form.Get("Action")
	action, ok := q.Actions[name]
	if !ok {
		q.fail(w, Fail("InvalidAction", "aloft has no action %q", name), id)
		return
	}
	out, err := action(r, Form{r.Form})
	if err != nil {
		q.fail(w, failure(err), id)
		return
	}
	q.write(w, answer{XMLName: xml.Name{Local: name + "Response"}, Namespace: q.Namespace, Result: result{name + "Result", out}, RequestID: id})
}

type answer struct {
	XMLName   xml.Name
	Namespace string `xml:"xmlns,attr"`
	Result    result
	RequestID string `xml:"ResponseMetadata>RequestId"`
}

// result is an element of a name that is known at run time only.
type result struct {
	name    string
	content any
}

// MarshalXML implements xml.Marshaler.
func (r result) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	start := xml.StartElement{Name: xml.Name{Local: r.name}}
	if r.content == nil {
		return e.EncodeElement("", start)
	}
	return e.EncodeElement(r.content, start)
}

func (q Query) fail(w http.ResponseWriter, f *Failure, id string) {
	code := f.Code
	if f.Query != "" {
		code = f.Query
	}
	w.WriteHeader(f.status())
	q.write(w, struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		Namespace string   `xml:"xmlns,attr"`
		Type      string   `xml:"Error>Type"`
		Code      string   `xml:"Error>Code"`
		Message   string   `xml:"Error>Message"`
		RequestID string   `xml:"RequestId"`
	}{Namespace: q.Namespace, Type: f.fault(), Code: code, Message: f.Message, RequestID: id})
}

func (q Query) write(w http.ResponseWriter, v any) {
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(v) // the client is gone if it fails
}

// List returns the parts of a list, in the order of their numbers: of prefix.1.Id and prefix.2.Id those with prefix cut off.
func (f Form) List(prefix string) []Form {
	byNumber := map[int]url.Values{}
	for name, values := range f.Values {
		rest, ok := strings.CutPrefix(name, prefix+".")
		if !ok {
			continue
		}
		number, field, _ := strings.Cut(rest, ".")
		n, err := strconv.Atoi(number)
		if err != nil {
			continue
		}
		if byNumber[n] == nil {
			byNumber[n] = url.Values{}
		}
		byNumber[n][field] = values
	}
	numbers := make([]int, 0, len(byNumber))
	for n := range byNumber {
		numbers = append(numbers, n)
	}
	sort.Ints(numbers)
	list := make([]Form, 0, len(numbers))
	for _, n := range numbers {
		list = append(list, Form{byNumber[n]})
	}
	return list
}

// Map returns a map written as prefix.1.key and prefix.1.value.
func (f Form) Map(prefix string) map[string]string {
	m := map[string]string{}
	for _, entry := range f.List(prefix) {
		m[entry.Get("key")] = entry.Get("value")
	}
	return m
}
