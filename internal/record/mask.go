package record

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Masked is what stands in place of a secret.
const Masked = "[masked]"

// minSecret is the shortest value of a config that is looked for: shorter ones are words like "true" and stand everywhere.
const minSecret = 6

// secretNames are parts of names, in lower case and without - and _, whose values are secrets.
func secretNames() []string {
	return []string{
		"authorization", "cookie", "password", "passwd", "passphrase", "secret", "token", "apikey", "accesskey", "privatekey", "credential", "signature", "sessionid",
		"creditcard", "cardnumber", "cvv", "xforwardedaccess", "xamzsecurity", "clientcert",
	}
}

// isSecret reports whether what has the name is masked whatever it is.
func isSecret(name string) bool {
	plain := strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(name))
	return slices.ContainsFunc(secretNames(), func(part string) bool { return strings.Contains(plain, part) })
}

// masker masks secrets in JSON and counts them.
type masker struct {
	secrets []string // longest first
	count   int
}

func newMasker(secrets []string) *masker {
	m := &masker{}
	for _, s := range secrets {
		if len(s) >= minSecret {
			m.secrets = append(m.secrets, s)
		}
	}
	slices.SortFunc(m.secrets, func(a, b string) int { return len(b) - len(a) })
	return m
}

// mask returns the JSON without secrets. What cannot be read becomes nothing at all.
func (m *masker) mask(text json.RawMessage) json.RawMessage {
	if len(text) == 0 {
		return nil
	}
	var value any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&value) != nil {
		return nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(m.value(value)) != nil {
		return nil
	}
	return bytes.TrimSpace(b.Bytes())
}

func (m *masker) value(value any) any {
	switch v := value.(type) {
	case map[string]any:
		m.object(v)
	case []any:
		for i := range v {
			v[i] = m.value(v[i])
		}
	case string:
		return m.text(v)
	case json.Number:
		if slices.Contains(m.secrets, v.String()) {
			m.count++
			return Masked
		}
	}
	return value
}

func (m *masker) object(object map[string]any) {
	encoded, _ := object["isBase64Encoded"].(bool)
	for name, inner := range maps.Clone(object) {
		if plain := m.plain(name); plain != name {
			delete(object, name)
			name = plain
		}
		switch body, isText := inner.(string); {
		case isSecret(name):
			object[name] = m.whole(inner)
		case name == "body" && encoded && isText:
			object[name] = m.base64(body)
		default:
			object[name] = m.value(inner)
		}
	}
	// Headers and the like as lists of pairs: the name stands beside the value.
	if name, ok := object["name"].(string); ok && isSecret(name) && object["value"] != nil {
		object["value"] = m.whole(object["value"])
	}
}

// whole masks all of a value, of what shape ever, but what says nothing: null, "", true, false.
func (m *masker) whole(value any) any {
	switch v := value.(type) {
	case nil, bool:
		return value
	case string:
		if v == "" {
			return v
		}
	case []any:
		for i := range v {
			v[i] = m.whole(v[i])
		}
		return v
	case map[string]any:
		for name := range v {
			v[name] = m.whole(v[name])
		}
		return v
	}
	m.count++
	return Masked
}

// text masks secrets in a string, which may be JSON or a form.
func (m *masker) text(text string) string {
	if strings.ContainsAny(text, "{[") && json.Valid([]byte(text)) {
		before := m.count
		masked := m.mask(json.RawMessage(text))
		if m.count == before {
			return text
		}
		return string(masked)
	}
	return m.plain(m.form(text))
}

// plain masks secrets wherever they stand in a text.
func (m *masker) plain(text string) string {
	for _, secret := range m.secrets {
		for _, form := range []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))} {
			if strings.Contains(text, form) {
				m.count++
				text = strings.ReplaceAll(text, form, Masked)
			}
		}
	}
	return text
}

// form masks values of secret names in a query or a form: a=b&password=c.
func (m *masker) form(text string) string {
	if !strings.Contains(text, "=") || strings.ContainsAny(text, " \n\"{") {
		return text
	}
	head, query, isURL := strings.Cut(text, "?")
	if !isURL {
		head, query = "", text
	}
	fields := strings.Split(query, "&")
	found := false
	for i, field := range fields {
		name, value, ok := strings.Cut(field, "=")
		plain, err := url.QueryUnescape(name)
		if ok && err == nil && value != "" && isSecret(plain) {
			m.count++
			fields[i], found = name+"="+url.QueryEscape(Masked), true
		}
	}
	switch {
	case !found:
		return text
	case isURL:
		return head + "?" + strings.Join(fields, "&")
	}
	return strings.Join(fields, "&")
}

// base64 masks secrets in text that is encoded.
func (m *masker) base64(text string) string {
	plain, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return m.text(text)
	}
	return base64.StdEncoding.EncodeToString([]byte(m.text(string(plain))))
}
