package s3_test

import (
	"bytes"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/awstest"
	"github.com/aloft-run/aloft/internal/deploy"
	"github.com/aloft-run/aloft/internal/s3"
)

var _ deploy.Sealer = (*s3.Sealer)(nil)

func TestSealer(t *testing.T) {
	t.Parallel()
	config := awstest.Emulator(t).Config
	if _, err := s3.NewSealer(config, s3.KeyID).NewKey("web"); aloft.ErrorCode(err) != aloft.Unavailable || !strings.Contains(err.Error(), "data key of app web") {
		t.Errorf("NewKey without the account's stack: %v", err)
	}
	client := kms.NewFromConfig(config)
	made, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{})
	check(t, "CreateKey", err)
	_, err = client.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: aws.String(s3.KeyID), TargetKeyId: made.KeyMetadata.KeyId})
	check(t, "CreateAlias", err)

	wrapped, err := s3.NewSealer(config, s3.KeyID).NewKey("web")
	check(t, "NewKey", err)
	seen := &requests{seen: map[string]int{}}
	config.HTTPClient = &http.Client{Transport: seen}
	sealer := s3.NewSealer(config, s3.KeyID) // another process
	web := aloft.App{Name: "web", Key: wrapped}
	clear := aloft.Config{"TOKEN": "very secret", "EMPTY": ""}
	sealed, err := sealer.Seal(web, "staging", 3, clear)
	check(t, "Seal", err)
	for name, value := range sealed.Values {
		if bytes.Contains(value, []byte("secret")) {
			t.Errorf("%s is in clear", name)
		}
	}
	for range 3 {
		if got, err := sealer.Unseal(web, "staging", sealed); err != nil || !reflect.DeepEqual(got, clear) {
			t.Errorf("Unseal: %v, %v", got, err)
		}
	}
	if n := seen.count(http.MethodPost); n != 1 {
		t.Errorf("KMS was asked %d times", n)
	}
	if _, err := sealer.Unseal(web, "production", sealed); aloft.ErrorCode(err) != aloft.Internal {
		t.Errorf("Unseal in another stage: %v", err)
	}
	wrapped[len(wrapped)-1] ^= 1
	for what, app := range map[string]aloft.App{"another app's key": {Name: "api", Key: web.Key}, "a damaged key": {Name: "web", Key: wrapped}, "no key": {Name: "web"}} {
		if _, err := sealer.Unseal(app, "staging", sealed); aloft.ErrorCode(err) != aloft.Internal {
			t.Errorf("%s: %v", what, err)
		}
	}
}
