package queue

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/resource/wire"
)

// api is SQS' API for the queues that are visible.
type api struct {
	store   *Store
	visible resource.Visible
	host    string // by which the client reached it
}

// Handler answers SQS' API for the queues that are visible.
func (s *Store) Handler(visible resource.Visible) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme := "http://"
		if r.TLS != nil {
			scheme = "https://"
		}
		a := api{s, visible, scheme + r.Host}
		wire.JSON{Version: "1.0", Namespace: "com.amazonaws.sqs#", Operations: a.operations()}.ServeHTTP(w, r)
	})
}

func (a api) operations() map[string]wire.Operation {
	return map[string]wire.Operation{
		"CreateQueue": wire.Op(a.create), "DeleteQueue": wire.Op(a.remove), "ListQueues": wire.Op(a.list), "GetQueueUrl": wire.Op(a.url),
		"GetQueueAttributes": wire.Op(a.attributes), "SetQueueAttributes": wire.Op(a.setAttributes), "PurgeQueue": wire.Op(a.purge),
		"TagQueue": wire.Op(a.tag), "UntagQueue": wire.Op(a.untag), "ListQueueTags": wire.Op(a.tags),
		"ListDeadLetterSourceQueues": wire.Op(a.sources),
		"SendMessage":                wire.Op(a.send), "SendMessageBatch": wire.Op(a.sendBatch), "ReceiveMessage": wire.Op(a.receive),
		"DeleteMessage": wire.Op(a.removeMessage), "DeleteMessageBatch": wire.Op(a.removeBatch),
		"ChangeMessageVisibility": wire.Op(a.extend), "ChangeMessageVisibilityBatch": wire.Op(a.extendBatch),
	}
}

// absent is the error for a queue that is not there, or not visible.
func absent() *wire.Failure {
	return &wire.Failure{
		Code: "QueueDoesNotExist", Query: "AWS.SimpleQueueService.NonExistentQueue", Message: "The specified queue does not exist.",
	}
}

// translate makes SQS' error of one of the store.
func translate(err error) error {
	if full, ok := errors.AsType[*resource.Full](err); ok {
		return wire.Fail("OverLimit", "%s", full)
	}
	e, ok := errors.AsType[*aloft.Error](err)
	if !ok {
		return err
	}
	switch {
	case e.Code == aloft.NotFound:
		return absent()
	case e.Code == aloft.Conflict:
		return &wire.Failure{Code: "MessageNotInflight", Query: "AWS.SimpleQueueService.MessageNotInflight", Message: e.Message}
	case e.Code == aloft.Invalid && strings.Contains(e.Message, "receipt handle"):
		return wire.Fail("ReceiptHandleIsInvalid", "%s", e.Message)
	case e.Code == aloft.Invalid:
		return wire.Fail("InvalidParameterValue", "%s", e.Message)
	}
	return err
}

// target names the queue of a request.
type target struct {
	QueueURL string `json:"QueueUrl"`
}

// name is the name of the queue, if it may be seen.
func (a api) name(t target) (string, error) {
	name := path.Base(t.QueueURL)
	if t.QueueURL == "" {
		return "", wire.Fail("MissingParameter", "The request must contain the parameter QueueUrl.")
	}
	if !a.visible.Sees(aloft.Queue, name) {
		return "", absent()
	}
	return name, nil
}

func (a api) found(ctx context.Context, t target) (Queue, error) {
	name, err := a.name(t)
	if err != nil {
		return Queue{}, err
	}
	q, err := a.store.Queue(ctx, name)
	return q, translate(err)
}

func (a api) urlOf(name string) target { return target{resource.QueueURL(a.host, name)} }

type createInput struct {
	QueueName  string
	Attributes Attributes
	Tags       map[string]string `json:"tags"`
}

func (a api) create(ctx context.Context, in createInput) (target, error) {
	q := Queue{Name: in.QueueName, Owner: resource.OwnerText(a.visible.Owner), Attributes: in.Attributes, Tags: in.Tags}
	if err := a.allowed(q); err != nil {
		return target{}, err
	}
	made, err := a.store.Create(ctx, q)
	if err != nil || made {
		return a.urlOf(q.Name), translate(err)
	}
	has, err := a.store.Queue(ctx, q.Name)
	for name, value := range in.Attributes {
		if err == nil && has.shown(name) != value {
			return target{}, &wire.Failure{
				Code: "QueueNameExists", Query: "QueueAlreadyExists",
				Message: "A queue already exists with the same name and a different value for attribute " + name,
			}
		}
	}
	return a.urlOf(q.Name), translate(err)
}

// allowed refuses queues that the client may not have.
func (a api) allowed(q Queue) error {
	if !a.visible.Sees(aloft.Queue, q.Name) {
		return &wire.Failure{
			Code: "AccessDenied", Status: http.StatusForbidden,
			Message: "a function cannot make queues: declare them in the resources section of aloft.yml",
		}
	}
	for name := range q.Attributes {
		if !settable(name) {
			return wire.Fail("InvalidAttributeName", "Unknown Attribute %s.", name)
		}
	}
	if r, err := parseRedrive(q.Attributes[redrive]); err == nil && r.Queue != "" && !a.visible.Sees(aloft.Queue, r.Queue) {
		return absent()
	}
	return nil
}

func settable(name string) bool {
	_, numeric := bounds()[name]
	for _, other := range append(kept(), fifo, content, redrive) {
		numeric = numeric || name == other
	}
	return numeric
}

// shown is the value of an attribute as clients see it, also of one that was not set.
func (q Queue) shown(name string) string {
	if v, said := q.Attributes[name]; said {
		return v
	}
	if b, ok := bounds()[name]; ok {
		return strconv.Itoa(b.def)
	}
	return ""
}

func (a api) remove(ctx context.Context, in target) (wire.Nothing, error) {
	name, err := a.name(in)
	if err != nil {
		return wire.Nothing{}, err
	}
	return wire.Nothing{}, translate(a.store.Delete(ctx, name))
}

type listInput struct {
	QueueNamePrefix string
}

type listOutput struct {
	QueueURLs []string `json:"QueueUrls"`
}

func (a api) list(ctx context.Context, in listInput) (listOutput, error) {
	out := listOutput{QueueURLs: []string{}}
	all, err := a.store.Queues(ctx, "")
	for _, q := range all {
		if a.visible.Sees(aloft.Queue, q.Name) && strings.HasPrefix(q.Name, in.QueueNamePrefix) {
			out.QueueURLs = append(out.QueueURLs, a.urlOf(q.Name).QueueURL)
		}
	}
	return out, err
}

type urlInput struct{ QueueName string }

func (a api) url(ctx context.Context, in urlInput) (target, error) {
	_, err := a.found(ctx, target{in.QueueName})
	return a.urlOf(in.QueueName), err
}

type attributesInput struct {
	target

	AttributeNames []string
}

type attributesOutput struct{ Attributes map[string]string }

func (a api) attributes(ctx context.Context, in attributesInput) (attributesOutput, error) {
	q, err := a.found(ctx, in.target)
	if err != nil {
		return attributesOutput{}, err
	}
	n, err := a.store.messages.Count(ctx, q.id)
	all := map[string]string{
		"QueueArn": q.ARN(), "CreatedTimestamp": strconv.FormatInt(q.Created.Unix(), 10), "LastModifiedTimestamp": strconv.FormatInt(q.Modified.Unix(), 10),
		"ApproximateNumberOfMessages": strconv.Itoa(n.Ready), "ApproximateNumberOfMessagesNotVisible": strconv.Itoa(n.Claimed),
		"ApproximateNumberOfMessagesDelayed": strconv.Itoa(n.Delayed), "SqsManagedSseEnabled": "true",
	}
	for name := range bounds() {
		all[name] = q.shown(name)
	}
	maps.Copy(all, q.Attributes)
	out := attributesOutput{map[string]string{}}
	for _, name := range in.AttributeNames {
		if name == "All" {
			return attributesOutput{all}, err
		}
		if v, ok := all[name]; ok {
			out.Attributes[name] = v
		} else if !settable(name) {
			return out, wire.Fail("InvalidAttributeName", "Unknown Attribute %s.", name)
		}
	}
	return out, err
}
