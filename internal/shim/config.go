package shim

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	fetchTries = 3
	fetchTime  = 2 * time.Second // for one try
	fetchPause = 200 * time.Millisecond
	maxSecret  = 1 << 20 // Secrets Manager keeps 64 KB
)

// fetchConfig reads the config from Secrets Manager if it did not fit into the environment.
func (s *settings) fetchConfig(ctx context.Context) error {
	if s.secret == "" {
		return nil
	}
	var err error
	for try := range fetchTries {
		if try > 0 {
			select {
			case <-time.After(fetchPause << try):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		var again bool
		if s.config, again, err = s.secretValue(ctx); err == nil || !again {
			break
		}
	}
	if err != nil {
		return failed(kindInit, "read the config from the secret %s: %v", s.secret, err)
	}
	return nil
}

// secretValue asks once. Again tells whether another try may help. Errors have nothing of the secret in them.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func (s *settings) secretValue(ctx context.Context) (config map[string]string, again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	label := s.label
	if label == "" {
		label = "AWSCURRENT"
	}
	body, err := json.Marshal(map[string]string{"SecretId": s.secret, "VersionStage": label})
	if err != nil {
		return nil, false, err
	}
	u, err := s.secretsEndpoint()
	if err != nil {
		return nil, false, err
	}
	keys, again, err := s.credentials(ctx, "secretsmanager")
	if err != nil {
		return nil, again, err
	}
	status, text, err := fetch(ctx, http.MethodPost, u, keys.sign(u, "secretsmanager.GetSecretValue", body, time.Now()), body)
	if err != nil {
		return nil, true, err
	}
	return readSecret(status, text, s.Name)
}

// fetch makes one request, on a connection of its own, and returns what it is answered, at most maxSecret bytes.
func fetch(ctx context.Context, method string, u *url.URL, fields [][2]string, body []byte) (status int, text []byte, err error) {
	head := appendField(appendHead(nil, method, u.RequestURI(), u.Host), "Connection", "close")
	for _, f := range fields {
		head = appendField(head, f[0], f[1])
	}
	if method == http.MethodPost {
		head = appendField(head, "Content-Length", strconv.Itoa(len(body)))
	}
	call := &exchange{link: &link{}, method: method, head: append(head, "\r\n"...), body: body}
	if u.Scheme == "https" {
		call.link.secure = u.Hostname()
	}
	defer call.close(false)
	answer, err := call.do(ctx, hostPort(u))
	if err != nil {
		return 0, nil, err
	}
	text, err = io.ReadAll(io.LimitReader(answer.body, maxSecret))
	return answer.status, text, err
}

// readSecret reads what an answer of Secrets Manager has for a function.
func readSecret(status int, text []byte, function string) (config map[string]string, again bool, err error) {
	var said struct {
		Secret  string `json:"SecretString"` //nolint:tagliatelle // AWS's
		Type    string `json:"__type"`       //nolint:tagliatelle // AWS's
		Message string `json:"message"`      // Message, too
	}
	parseErr := json.Unmarshal(text, &said)
	if status != http.StatusOK {
		kind := said.Type[strings.LastIndexByte(said.Type, '#')+1:]
		again = status >= 500 || status == http.StatusTooManyRequests || strings.Contains(kind, "Throttling")
		return nil, again, fmt.Errorf("status %d %s: %s", status, kind, said.Message)
	}
	if config, ok := variablesOf(said.Secret, function); parseErr == nil && ok {
		return config, false, nil
	}
	return nil, false, fmt.Errorf("it is no JSON object of variables, by function or of this one")
}

// variablesOf reads what the secret of a stage has for a function: a secret holds variables by function, or those of one.
func variablesOf(secret, function string) (variables map[string]string, ok bool) {
	var all map[string]map[string]string
	if json.Unmarshal([]byte(secret), &all) == nil {
		return all[function], true
	}
	return variables, json.Unmarshal([]byte(secret), &variables) == nil
}

// secretsEndpoint is where Secrets Manager is.
func (s *settings) secretsEndpoint() (*url.URL, error) {
	for _, name := range []string{"AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL"} {
		if lookup(s.env, name) != "" {
			return s.urlIn(name)
		}
	}
	region := s.region()
	return &url.URL{Scheme: "https", Host: "secretsmanager." + region + "." + domainOf(region), Path: "/"}, nil
}

// domainOf is the domain that AWS's services have in a region: each partition has one of its own.
// https://github.com/aws/aws-sdk-go-v2/blob/main/internal/endpoints/awsrulesfn/partitions.json
func domainOf(region string) string {
	for _, partition := range [][2]string{
		{"cn-", "amazonaws.com.cn"},
		{"eusc-", "amazonaws.eu"},
		{"us-iso-", "c2s.ic.gov"},
		{"us-isob-", "sc2s.sgov.gov"},
		{"us-isof-", "csp.hci.ic.gov"},
		{"eu-isoe-", "cloud.adc-e.uk"},
	} {
		if strings.HasPrefix(region, partition[0]) {
			return partition[1]
		}
	}
	return "amazonaws.com"
}

// urlIn is the URL that a variable holds.
func (s *settings) urlIn(name string) (*url.URL, error) {
	text := lookup(s.env, name)
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%s: %q is no URL of http or https", name, text)
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// region is where the function runs; the secret is there, too, unless its ARN says another.
func (s *settings) region() string {
	if part := strings.Split(s.secret, ":"); len(part) > 3 && part[0] == "arn" && part[3] != "" {
		return part[3]
	}
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if region := lookup(s.env, name); region != "" {
			return region
		}
	}
	return "us-east-1"
}

// hostPort is where a URL leads.
func hostPort(u *url.URL) place {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return place(net.JoinHostPort(u.Hostname(), port))
}
