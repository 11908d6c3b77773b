package static

import (
	"strconv"
	"strings"
)

// negotiate returns the encoding to use of those a client accepts: the one it likes best, of equals the first, nil for none.
func negotiate(accept []string, encodings []Encoding) *Encoding {
	quality := map[string]float64{}
	for item := range strings.SplitSeq(strings.ToLower(strings.Join(accept, ",")), ",") {
		name, parameters, _ := strings.Cut(item, ";")
		quality[strings.TrimSpace(name)] = weight(parameters)
	}
	var best *Encoding
	bestQuality := 0.0
	for i := range encodings {
		q, ok := quality[encodings[i].Name]
		if !ok {
			q = quality["*"]
		}
		if q > bestQuality {
			best, bestQuality = &encodings[i], q
		}
	}
	if bestQuality < quality["identity"] {
		return nil
	}
	return best
}

// weight is the q parameter; one that cannot be read counts as a refusal.
func weight(parameters string) float64 {
	for p := range strings.SplitSeq(parameters, ";") {
		if value, ok := strings.CutPrefix(strings.ReplaceAll(p, " ", ""), "q="); ok {
			q, err := strconv.ParseFloat(value, 64)
			if err != nil || q < 0 || q > 1 {
				return 0
			}
			return q
		}
	}
	return 1
}
