package lambdahttp

import (
	"bytes"
	"encoding/json"

	"github.com/aloft-run/aloft"
)

// member is a member of a JSON object: its key and its value as it stands in the text, known to be valid JSON.
type member struct {
	key   []byte
	value []byte
}

// members returns the members of an object in their order, appended to buf. The scanner reads what is usual in one pass
// and without copies; what it does not take encoding/json reads, and says what is wrong. The members share memory with data.
func members(data []byte, buf []member) ([]member, error) {
	s := scanner{data: data}
	all, ok := s.object(buf)
	if ok && s.end() {
		return all, nil
	}
	return slowMembers(data, buf[:0])
}

func slowMembers(data []byte, all []member) ([]member, error) {
	if !json.Valid(data) {
		return nil, aloft.Errorf(aloft.Failed, "not JSON")
	}
	if k := kindOf(data); k != "an object" {
		return nil, aloft.Errorf(aloft.Failed, "%s, not an object", k)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		return nil, aloft.Errorf(aloft.Failed, "not JSON")
	}
	for dec.More() {
		key, err := dec.Token()
		var value json.RawMessage
		if err == nil {
			err = dec.Decode(&value)
		}
		name, ok := key.(string)
		if err != nil || !ok {
			return nil, aloft.Errorf(aloft.Failed, "not JSON")
		}
		all = append(all, member{key: []byte(name), value: value})
	}
	return all, nil
}
