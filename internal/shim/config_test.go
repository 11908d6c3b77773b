package shim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/aloft-run/aloft/internal/lambdahttp"
	"github.com/aloft-run/aloft/internal/porttest"
	"github.com/aloft-run/aloft/internal/shim/shimtest"
)

// TestConfigFromSecret reads the config from something that looks like Secrets Manager.
func TestConfigFromSecret(t *testing.T) {
	var mu sync.Mutex
	asked, fails := "", 1
	secrets := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ SecretID, VersionStage string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		mu.Lock()
		defer mu.Unlock()
		asked = r.Header.Get("X-Amz-Target") + " " + in.SecretID + " " + in.VersionStage + " " + r.Header.Get("Authorization") + " " + r.Header.Get("X-Amz-Security-Token")
		if fails > 0 {
			fails--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if in.SecretID == "absent" {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"__type":"ResourceNotFoundException","Message":"no such secret"}`))
			return
		}
		_, _ = w.Write([]byte(`{"SecretString":"{\"GREETING\":\"from the secret\",\"OWN\":\"config\"}"}`))
	}))
	defer secrets.Close()
	env := []string{
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + secrets.URL, "AWS_ACCESS_KEY_ID=AKID", "AWS_SECRET_ACCESS_KEY=key", "AWS_SESSION_TOKEN=token",
		"ALOFT_CONFIG_LABEL=v7", "ALOFT_CONFIG_SECRET=",
	}
	name := func(secret string) []string { return append(env[:5:5], "ALOFT_CONFIG_SECRET="+secret) }
	bootstrap := build(t)
	spec := self(t, "port")
	spec.Env = map[string]string{"OWN": "function", "WHERE": "$APP/x:${PATH}:$APPLE"}
	dir := t.TempDir()
	l := shimtest.Start(t, shimtest.Function{Shim: bootstrap, Dir: dir, Spec: spec, Env: name("aloft/app/production")})
	<-l.Session.Ready()
	g := l.Gateway(t, lambdahttp.APIGatewayV2)
	for variable, want := range map[string]string{
		"GREETING": "from the secret", "OWN": "config", "ALOFT_CONFIG_SECRET": "", "WHERE": dir + "/x:" + os.Getenv("PATH") + ":$APPLE",
	} {
		if _, body := get(t, g.URL+"/env?name="+variable); body != want {
			t.Errorf("%s is %q", variable, body)
		}
	}
	mu.Lock()
	seen := asked
	mu.Unlock()
	if !strings.HasPrefix(seen, "secretsmanager.GetSecretValue aloft/app/production v7 AWS4-HMAC-SHA256 Credential=AKID/") || !strings.HasSuffix(seen, " token") {
		t.Errorf("the service was asked %q", seen)
	}
	t.Run("absent", func(t *testing.T) {
		l := shimtest.Start(t, shimtest.Function{Shim: bootstrap, Dir: dir, Spec: spec, Env: name("absent")})
		<-l.Session.Ready()
		if f := l.Session.InitFailure(); f == nil || !strings.Contains(string(f.Payload), "the secret absent: status 400 ResourceNotFoundException: no such secret") {
			t.Errorf("the failure is %+v", f)
		}
	})
	t.Run("wrapper", func(t *testing.T) {
		l := shimtest.Start(t, shimtest.Function{
			Shim: bootstrap, Dir: dir, Env: name("aloft/app/production"), Args: []string{"sh", "-c", `echo "$GREETING $AWS_LAMBDA_RUNTIME_API $0 $1"`, "a", "b c"},
		})
		if state := l.Wait(t); state.ExitCode() != 0 || !strings.HasPrefix(l.Output.String(), "from the secret 127.0.0.1:") || !strings.HasSuffix(l.Output.String(), " a b c\n") {
			t.Errorf("the runtime ends with %s:\n%s", state, l.Output)
		}
	})
}

// TestConfigOfSnapStart: a function that starts from a snapshot has no keys in its environment. It asks for them where that says.
func TestConfigOfSnapStart(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	asked, fails := "", 1
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2021-04-23/credentials", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.Header.Get("Authorization") != "snapshot-token":
			http.Error(w, "whose token is hunter2", http.StatusForbidden)
		case fails > 0:
			fails--
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			fmt.Fprint(w, `{"AccessKeyId":"AKSNAP","SecretAccessKey":"key","Token":"of the role","Expiration":"2026-11-30T12:00:00Z"}`)
		}
	})
	mux.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = r.Header.Get("Authorization") + " " + r.Header.Get("X-Amz-Security-Token")
		fmt.Fprint(w, `{"SecretString":"{\"GREETING\":\"from the secret\"}"}`)
	})
	aws := httptest.NewServer(mux)
	t.Cleanup(aws.Close)
	bootstrap := build(t)
	start := func(t *testing.T, token string) *shimtest.Lambda {
		t.Helper()
		return shimtest.Start(t, shimtest.Function{Shim: bootstrap, Dir: t.TempDir(), Args: []string{"sh", "-c", `echo "$GREETING"`}, Env: []string{
			"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + aws.URL, "ALOFT_CONFIG_SECRET=aloft/app/production",
			"AWS_CONTAINER_CREDENTIALS_FULL_URI=" + aws.URL + "/2021-04-23/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN=" + token,
		}})
	}
	l := start(t, "snapshot-token")
	if state := l.Wait(t); state.ExitCode() != 0 || l.Output.String() != "from the secret\n" {
		t.Errorf("the runtime ends with %s:\n%s", state, l.Output)
	}
	mu.Lock()
	seen := asked
	mu.Unlock()
	if !strings.HasPrefix(seen, "AWS4-HMAC-SHA256 Credential=AKSNAP/") || !strings.HasSuffix(seen, " of the role") {
		t.Errorf("the service was asked %q", seen)
	}
	l = start(t, "hunter2")
	if state := l.Wait(t); state.ExitCode() != 1 || !strings.Contains(l.Output.String(), "answers 403, without credentials of the role") || strings.Contains(l.Output.String(), "hunter2") {
		t.Errorf("without credentials the runtime ends with %s:\n%s", state, l.Output)
	}
}

// TestAdapterInSecret: the variables count where the config has outgrown the environment, too.
func TestAdapterInSecret(t *testing.T) {
	t.Parallel()
	port := porttest.Free(t)
	secrets := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"SecretString":"{\"AWS_LWA_PORT\":\"%s\",\"AWS_LWA_REMOVE_BASE_PATH\":\"/prod\"}"}`, port)
	}))
	t.Cleanup(secrets.Close)
	l := shimtest.Start(t, shimtest.Function{Shim: build(t), Dir: t.TempDir(), Spec: self(t, "port"), Env: []string{
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + secrets.URL, "ALOFT_CONFIG_SECRET=aloft/app/production", "AWS_LWA_REMOVE_BASE_PATH=/other",
	}})
	<-l.Session.Ready()
	url := l.Gateway(t, lambdahttp.APIGatewayV2).URL
	if _, body := get(t, url+"/prod/env?name=PORT"); body != port {
		t.Errorf("PORT is %q, want %s", body, port)
	}
}
