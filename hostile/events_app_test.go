package hostile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
)

// eventWorker is the argument that makes this test binary a handler function.
const eventWorker = "events"

// event is what the functions work on.
type event struct {
	ID     string `json:"id"`
	Poison string `json:"poison,omitempty"` // "fail" or "exit"
}

// workOnEvents is a program that speaks the Lambda Runtime API: it notes each event in a file before it answers.
func workOnEvents(string) error {
	file, err := os.OpenFile(filepath.Join(os.Getenv("ALOFT_DATA"), "done"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		id, e, err := nextEvent(base)
		if err != nil {
			return err
		}
		if id != e.ID {
			return fmt.Errorf("the event of request %s says it is %s", id, e.ID)
		}
		if _, err := file.WriteString(e.Poison + " " + id + "\n"); err != nil {
			return err
		}
		path, answer := "/response", `"done"`
		switch e.Poison {
		case "exit":
			return errors.New("poison")
		case "fail":
			path, answer = "/error", `{"errorMessage":"poison","errorType":"Poison"}`
		}
		if err := post(base+id+path, answer); err != nil {
			return err
		}
	}
}

func nextEvent(base string) (id string, e event, err error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, base+"next", nil)
	if err != nil {
		return "", e, err
	}
	res, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return "", e, err
	}
	defer func() { _ = res.Body.Close() }()
	return res.Header.Get("Lambda-Runtime-Aws-Request-Id"), e, json.NewDecoder(res.Body).Decode(&e)
}

func post(address, body string) error {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, address, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	res, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return errors.Join(err, res.Body.Close())
}
