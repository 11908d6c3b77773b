package route

import (
	"fmt"
	"net/http"
)

// CheckPatterns returns an error that says what is wrong unless patterns of net/http's ServeMux can stand beside each other.
func CheckPatterns(patterns []string) (err error) {
	defer func() {
		if reason := recover(); reason != nil { // the one way in which a ServeMux says it
			err = fmt.Errorf("%v", reason)
		}
	}()
	mux := http.NewServeMux()
	for _, p := range patterns {
		mux.Handle(p, http.NotFoundHandler())
	}
	return nil
}
