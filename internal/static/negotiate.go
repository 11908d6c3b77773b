package static

import (
	"strconv"
	"strings"
)

// negotiate returns the encoding to use of those a client accepts: the one it likes best, zstd before gzip, "" for none.
func negotiate(accept []string) string {
	quality := map[string]float64{}
	for item := range strings.SplitSeq(strings.ToLower(strings.Join(accept, ",")), ",") {
		name, parameters, _ := strings.Cut(item, ";")
		quality[strings.TrimSpace(name)] = weight(parameters)
	}
	best, bestQuality := "", 0.0
	for _, name := range []string{"zstd", "gzip"} {
		q, ok := quality[name]
		if !ok {
			q = quality["*"]
		}
		if q > bestQuality {
			best, bestQuality = name, q
		}
	}
	if bestQuality < quality["identity"] {
		return ""
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
