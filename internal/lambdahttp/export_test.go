package lambdahttp

import "errors"

// Scan returns what the scanner alone makes of an object, and whether it took it.
func Scan(data []byte) (keys []string, values [][]byte, ok bool) {
	s := scanner{data: data}
	all, ok := s.object(nil)
	if !ok || !s.end() {
		return nil, nil, false
	}
	keys, values = split(all)
	return keys, values, true
}

// ScanSlowly returns what encoding/json makes of the object.
func ScanSlowly(data []byte) (keys []string, values [][]byte, ok bool) {
	all, err := slowMembers(data, nil)
	keys, values = split(all)
	return keys, values, err == nil
}

func split(all []member) (keys []string, values [][]byte) {
	for _, m := range all {
		keys, values = append(keys, string(m.key)), append(values, m.value)
	}
	return keys, values
}

// Text returns a JSON string's content.
func Text(value []byte) (string, error) {
	b, err := text(value, "it")
	return string(b), err
}

// Elements returns the elements of an array by the scanner and by encoding/json.
func Elements(value []byte) (fast, slow [][]byte, err error) {
	fast, err1 := elements(value, "it")
	slow, err2 := slowElements(value, "it")
	return fast, slow, errors.Join(err1, err2)
}

// AppendString appends a JSON string.
func AppendString(dst []byte, s string) []byte { return appendString(dst, s) }

// AppendText appends a body as a JSON string.
func AppendText(dst, body []byte) []byte { return appendText(dst, body) }
