package topic

import (
	"net/http"
	"strconv"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/resource/wire"
)

func count(n int) string { return strconv.Itoa(n) }

func (a api) subscribe(r *http.Request, f wire.Form) (any, error) {
	t, err := a.found(r, f)
	if err != nil {
		return nil, err
	}
	sub := Subscription{Topic: t.Name, Protocol: f.Get("Protocol"), Endpoint: f.Get("Endpoint"), Attributes: Attributes{}}
	for _, entry := range f.List("Attributes.entry") {
		sub.Attributes[entry.Get("key")] = entry.Get("value")
	}
	if err := sub.Check(); err != nil {
		return nil, translate(err)
	}
	if kind, name := sub.target(); !a.visible.Sees(kind, name) {
		return nil, &wire.Failure{Code: "AuthorizationError", Status: http.StatusForbidden, Message: "a subscription leads to the queues and functions of the same stage"}
	}
	sub, err = a.store.Subscribe(r.Context(), sub)
	return struct {
		SubscriptionArn string
	}{sub.ARN()}, translate(err)
}

// subscribed is the subscription that a request means.
func (a api) subscribed(r *http.Request, f wire.Form) (Subscription, error) {
	topic, id := nameOf(f.Get("SubscriptionArn"))
	if id == "" {
		return Subscription{}, wire.Fail("InvalidParameter", "Invalid parameter: SubscriptionArn")
	}
	sub, err := a.store.Subscription(r.Context(), id)
	if err == nil && (sub.Topic != topic || !a.visible.Sees(aloft.Topic, topic)) {
		return Subscription{}, &wire.Failure{Code: "NotFound", Message: "there is no such subscription", Status: http.StatusNotFound}
	}
	return sub, translate(err)
}

func (a api) unsubscribe(r *http.Request, f wire.Form) (any, error) {
	sub, err := a.subscribed(r, f)
	if failure, ok := err.(*wire.Failure); ok && failure.Code == "NotFound" { //nolint:errorlint // subscribed made it
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return nil, a.store.Unsubscribe(r.Context(), sub.ID)
}

func (a api) subscriptions(r *http.Request, f wire.Form) (any, error) {
	name := ""
	if f.Get("TopicArn") != "" {
		t, err := a.found(r, f)
		if err != nil {
			return nil, err
		}
		name = t.Name
	}
	type member struct {
		SubscriptionArn, Owner, Protocol, Endpoint, TopicArn string
	}
	var out struct {
		Subscriptions []member `xml:"Subscriptions>member"`
	}
	all, err := a.store.Subscriptions(r.Context(), name)
	for _, s := range all {
		if a.visible.Sees(aloft.Topic, s.Topic) {
			out.Subscriptions = append(out.Subscriptions, member{s.ARN(), resource.Account, s.Protocol, s.Endpoint, Topic{Name: s.Topic}.ARN()})
		}
	}
	return out, err
}

func (a api) subscriptionAttributes(r *http.Request, f wire.Form) (any, error) {
	s, err := a.subscribed(r, f)
	if err != nil {
		return nil, err
	}
	own := map[string]string{
		"SubscriptionArn": s.ARN(), "TopicArn": Topic{Name: s.Topic}.ARN(), "Owner": resource.Account, "Protocol": s.Protocol, "Endpoint": s.Endpoint,
		"PendingConfirmation": "false", "ConfirmationWasAuthenticated": "true", "SubscriptionPrincipal": "arn:aws:iam::" + resource.Account + ":user/aloft",
	}
	if _, said := s.Attributes["RawMessageDelivery"]; !said {
		own["RawMessageDelivery"] = "false"
	}
	if s.Attributes["FilterPolicy"] != "" && s.Attributes["FilterPolicyScope"] == "" {
		own["FilterPolicyScope"] = "MessageAttributes"
	}
	return pairsOf(own, s.Attributes), nil
}

func (a api) setSubscriptionAttributes(r *http.Request, f wire.Form) (any, error) {
	s, err := a.subscribed(r, f)
	if err != nil {
		return nil, err
	}
	return nil, translate(a.store.SetAttribute(r.Context(), s.ID, f.Get("AttributeName"), f.Get("AttributeValue")))
}

func (a api) tag(r *http.Request, f wire.Form) (any, error) {
	return a.changeTags(r, f, func(tags map[string]string) {
		for _, tag := range f.List("Tags.member") {
			tags[tag.Get("Key")] = tag.Get("Value")
		}
	})
}

func (a api) untag(r *http.Request, f wire.Form) (any, error) {
	return a.changeTags(r, f, func(tags map[string]string) {
		for _, key := range f.List("TagKeys.member") {
			delete(tags, key.Get(""))
		}
	})
}

func (a api) changeTags(r *http.Request, f wire.Form, change func(tags map[string]string)) (any, error) {
	name, err := a.named(f)
	if err != nil {
		return nil, err
	}
	return nil, translate(a.store.Change(r.Context(), name, func(t *Topic) error { change(t.Tags); return nil }))
}

func (a api) tags(r *http.Request, f wire.Form) (any, error) {
	t, err := a.found(r, f)
	if err != nil {
		return nil, err
	}
	type tag struct{ Key, Value string }
	var out struct {
		Tags []tag `xml:"Tags>member"`
	}
	for k, v := range t.Tags {
		out.Tags = append(out.Tags, tag{k, v})
	}
	return out, nil
}
