package topic

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/resource/wire"
)

// api is SNS' API for the topics that are visible.
type api struct {
	store   *Store
	visible resource.Visible
}

// Handler answers SNS' API for the topics that are visible. Subscriptions lead only to what is visible, too.
func (s *Store) Handler(visible resource.Visible) http.Handler {
	a := api{s, visible}
	return wire.Query{Namespace: "http://sns.amazonaws.com/doc/2010-03-31/", Actions: map[string]wire.Action{
		"CreateTopic": a.create, "DeleteTopic": a.remove, "ListTopics": a.list, "Publish": a.publish, "PublishBatch": a.publishBatch,
		"GetTopicAttributes": a.attributes, "SetTopicAttributes": a.setAttributes,
		"Subscribe": a.subscribe, "Unsubscribe": a.unsubscribe, "ListSubscriptions": a.subscriptions, "ListSubscriptionsByTopic": a.subscriptions,
		"GetSubscriptionAttributes": a.subscriptionAttributes, "SetSubscriptionAttributes": a.setSubscriptionAttributes,
		"TagResource": a.tag, "UntagResource": a.untag, "ListTagsForResource": a.tags,
	}}
}

// translate makes SNS' error of one of the store.
func translate(err error) error {
	if full, ok := errors.AsType[*resource.Full](err); ok {
		return &wire.Failure{Code: "Throttled", Message: full.Error(), Status: http.StatusTooManyRequests}
	}
	code := aloft.ErrorCode(err)
	if code == aloft.NotFound {
		return &wire.Failure{Code: "NotFound", Message: err.Error(), Status: http.StatusNotFound}
	}
	if code == aloft.Invalid || code == aloft.Conflict {
		return wire.Fail("InvalidParameter", "%s", err)
	}
	return err
}

// nameOf is the name in the ARN of a topic or of one of its subscriptions.
func nameOf(arn string) (topic, subscription string) {
	parts := strings.Split(arn, ":")
	if len(parts) < 6 || parts[2] != "sns" {
		return "", ""
	}
	if len(parts) > 6 {
		subscription = parts[6]
	}
	return parts[5], subscription
}

// named is the name of the topic that a request means.
func (a api) named(f wire.Form) (string, error) {
	arn := f.Get("TopicArn")
	for _, other := range []string{"TargetArn", "ResourceArn"} {
		if arn == "" {
			arn = f.Get(other)
		}
	}
	name, _ := nameOf(arn)
	if name == "" {
		return "", wire.Fail("InvalidParameter", "Invalid parameter: TopicArn")
	}
	if !a.visible.Sees(aloft.Topic, name) {
		return "", translate(missing(name))
	}
	return name, nil
}

// found is the topic that a request means.
func (a api) found(r *http.Request, f wire.Form) (Topic, error) {
	name, err := a.named(f)
	if err != nil {
		return Topic{}, err
	}
	t, err := a.store.Topic(r.Context(), name)
	return t, translate(err)
}

type topicARN struct {
	TopicArn string
}

func (a api) create(r *http.Request, f wire.Form) (any, error) {
	t := Topic{Name: f.Get("Name"), Owner: resource.OwnerText(a.visible.Owner), Attributes: Attributes{}, Tags: map[string]string{}}
	for _, entry := range f.List("Attributes.entry") {
		t.Attributes[entry.Get("key")] = entry.Get("value")
	}
	for _, tag := range f.List("Tags.member") {
		t.Tags[tag.Get("Key")] = tag.Get("Value")
	}
	bare, fifo := strings.CutSuffix(t.Name, ".fifo")
	if !resource.GoodName(bare, 256) || fifo != t.FIFO() {
		return nil, wire.Fail("InvalidParameter", "Invalid parameter: Topic Name")
	}
	if !a.visible.Sees(aloft.Topic, t.Name) {
		return nil, &wire.Failure{Code: "AuthorizationError", Status: http.StatusForbidden, Message: "a function cannot make topics: declare them in the resources section of aloft.yml"}
	}
	_, err := a.store.Create(r.Context(), t)
	return topicARN{t.ARN()}, err
}

func (a api) remove(r *http.Request, f wire.Form) (any, error) {
	name, err := a.named(f)
	if err != nil {
		return nil, err
	}
	return nil, a.store.Delete(r.Context(), name)
}

func (a api) list(r *http.Request, _ wire.Form) (any, error) {
	all, err := a.store.Topics(r.Context(), "")
	var out struct {
		Topics []topicARN `xml:"Topics>member"`
	}
	for _, t := range all {
		if a.visible.Sees(aloft.Topic, t.Name) {
			out.Topics = append(out.Topics, topicARN{t.ARN()})
		}
	}
	return out, err
}

// pairs is a map as the protocol writes it.
type pairs struct {
	Entries []pair `xml:"Attributes>entry"`
}

type pair struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

func pairsOf(maps ...map[string]string) pairs {
	var p pairs
	for _, m := range maps {
		for k, v := range m {
			p.Entries = append(p.Entries, pair{k, v})
		}
	}
	return p
}

func (a api) attributes(r *http.Request, f wire.Form) (any, error) {
	t, err := a.found(r, f)
	if err != nil {
		return nil, err
	}
	own := map[string]string{"TopicArn": t.ARN(), "Owner": resource.Account, "SubscriptionsPending": "0", "SubscriptionsDeleted": "0"}
	subs, err := a.store.Subscriptions(r.Context(), t.Name)
	own["SubscriptionsConfirmed"] = count(len(subs))
	for name, def := range map[string]string{
		"DisplayName": "", "Policy": `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[]}`,
		"EffectiveDeliveryPolicy": `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3}}}`,
	} {
		if _, said := t.Attributes[name]; !said {
			own[name] = def
		}
	}
	return pairsOf(own, t.Attributes), err
}

func (a api) setAttributes(r *http.Request, f wire.Form) (any, error) {
	name, err := a.named(f)
	if err != nil {
		return nil, err
	}
	return nil, translate(a.store.Change(r.Context(), name, func(t *Topic) error {
		if f.Get("AttributeName") == "FifoTopic" {
			return aloft.Errorf(aloft.Invalid, "Invalid parameter: AttributeName")
		}
		t.Attributes[f.Get("AttributeName")] = f.Get("AttributeValue")
		return nil
	}))
}

func (a api) publish(r *http.Request, f wire.Form) (any, error) {
	t, err := a.found(r, f)
	if err != nil {
		return nil, err
	}
	return a.publishOne(r.Context(), t, f)
}

type messageID struct {
	ID        string `xml:"Id,omitempty"` // of a batch's entry
	MessageID string `xml:"MessageId"`
}

func (a api) publishOne(ctx context.Context, t Topic, f wire.Form) (messageID, error) {
	m, err := messageOf(f)
	if err != nil {
		return messageID{}, err
	}
	id, err := a.store.Publish(ctx, t.Name, m)
	return messageID{ID: f.Get("Id"), MessageID: id}, translate(err)
}

// messageOf reads a message.
func messageOf(f wire.Form) (Message, error) {
	m := Message{Subject: f.Get("Subject"), Body: f.Get("Message"), Group: f.Get("MessageGroupId"), Dedup: f.Get("MessageDeduplicationId")}
	for _, entry := range f.List("MessageAttributes.entry") {
		v := Value{Type: entry.Get("Value.DataType"), Text: entry.Get("Value.StringValue")}
		if text := entry.Get("Value.BinaryValue"); text != "" {
			var err error
			if v.Binary, err = base64.StdEncoding.DecodeString(text); err != nil {
				return m, wire.Fail("ParameterValueInvalid", "the attribute %q is not in base 64", entry.Get("Name"))
			}
		}
		if v.Type == "" {
			return m, wire.Fail("ParameterValueInvalid", "the attribute %q has no data type", entry.Get("Name"))
		}
		if m.Attributes == nil {
			m.Attributes = map[string]Value{}
		}
		m.Attributes[entry.Get("Name")] = v
	}
	if f.Get("MessageStructure") == "json" {
		if err := json.Unmarshal([]byte(m.Body), &m.PerProtocol); err != nil || m.PerProtocol["default"] == "" {
			return m, wire.Fail("InvalidParameter", "Invalid parameter: Message Structure - No default entry in JSON message body")
		}
		m.Body = m.PerProtocol["default"]
	}
	return m, nil
}

const maxBatch = 10 // entries

func (a api) publishBatch(r *http.Request, f wire.Form) (any, error) {
	t, err := a.found(r, f)
	if err != nil {
		return nil, err
	}
	type failed struct {
		ID          string `xml:"Id"`
		Code        string
		Message     string
		SenderFault bool
	}
	var out struct {
		Successful []messageID `xml:"Successful>member"`
		Failed     []failed    `xml:"Failed>member"`
	}
	entries := f.List("PublishBatchRequestEntries.member")
	if len(entries) < 1 || len(entries) > maxBatch {
		return nil, wire.Fail("TooManyEntriesInBatchRequest", "PublishBatch takes 1 to %d messages", maxBatch)
	}
	for _, entry := range entries {
		m, err := a.publishOne(r.Context(), t, entry)
		if f, ok := err.(*wire.Failure); ok { //nolint:errorlint // made two lines above
			out.Failed = append(out.Failed, failed{entry.Get("Id"), f.Code, f.Message, true})
			continue
		}
		if err != nil {
			return nil, err
		}
		out.Successful = append(out.Successful, m)
	}
	return out, nil
}
