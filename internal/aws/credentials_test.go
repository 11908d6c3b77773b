package aws_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aws"
)

// TestCredentialsThatEnded: what is said helps with those that are used: keys in the environment win over profiles and logins.
func TestCredentialsThatEnded(t *testing.T) {
	const (
		ended   = "!ExpiredToken The security token included in the request is expired"
		unknown = "!InvalidClientTokenId The security token included in the request is invalid."
		wrong   = "!SignatureDoesNotMatch The request signature we calculated does not match the signature you provided."
		early   = "!SignatureDoesNotMatch Signature not yet current: 20301129T000000Z is still later than 20261129T000000Z"
	)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Setenv("AWS_CONFIG_FILE", file("config", "[default]\nregion = eu-west-1\n[ profile  play ]\nregion = eu-west-1\n[sso-session corp]\nsso_region = eu-west-1\n"+
		"[profile sso]\nregion = eu-west-1\nsso_start_url = https://example.com/start\nsso_region = eu-west-1\nsso_account_id = 111122223333\nsso_role_name = admin\n"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file("credentials", "[work]\naws_access_key_id = AKIA\naws_secret_access_key = secret\n"+
		"[hours]\naws_access_key_id = ASIA\naws_secret_access_key = secret\naws_session_token = token\n"))
	t.Setenv("HOME", dir)
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	const profiles = "there are default, hours, play, sso, work; or make it: aws configure sso --profile nope"
	for _, test := range []struct {
		name, answer, key, profile string // key and profile are of the environment
		want                       aws.Want
		message, hint              string
	}{
		{"keys of the environment", ended, "ASIA", "", aws.Want{}, "the keys in the environment (AWS_ACCESS_KEY_ID) are not valid any more: ", "or unset all three"},
		{"and a profile beside them", unknown, "AKIA", "work", aws.Want{}, "the keys in the environment (AWS_ACCESS_KEY_ID) are not valid: ", "or unset all three"},
		{"a profile that is asked for, and keys", unknown, "AKIA", "", aws.Want{Profile: "work"}, "the keys of the AWS profile work are not valid: ", "aws configure --profile work"},
		{"a profile of the environment", unknown, "", "work", aws.Want{}, "the keys of the AWS profile work", "aws configure --profile work"},
		{"a profile with a token", ended, "", "hours", aws.Want{}, "the keys of the AWS profile hours", "session token"},
		{"nobody logged in", "", "", "", aws.Want{Profile: "sso"}, "not valid any more", "aws sso login --profile sso"},
		{"another secret", wrong, "AKIA", "", aws.Want{}, "AWS_ACCESS_KEY_ID): the secret key does not fit", "export AWS_SECRET_ACCESS_KEY"},
		{"another secret of a profile", wrong, "", "work", aws.Want{}, "profile work: the secret key does not fit", "aws configure --profile work"},
		{"another time", early, "AKIA", "", aws.Want{}, "the clock of this machine", "set it right"},
		{"no such profile of the environment", "", "", "nope", aws.Want{}, `no AWS profile "nope", which AWS_PROFILE names`, profiles},
		{"and keys", "", "AKIA", "nope", aws.Want{}, `no AWS profile "nope", which AWS_PROFILE names`, profiles},
		{"no such profile", "", "", "", aws.Want{Profile: "nope", Account: "111122223333"}, `no AWS profile "nope"`, profiles},
		{"none that was typed, and keys", "", "AKIA", "", aws.Want{Profile: "nope", Typed: true, Account: "111122223333"}, `no AWS profile "nope"`, profiles},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, config := fake(t, map[string][]string{"GetCallerIdentity": {test.answer}})
			t.Setenv("AWS_ENDPOINT_URL", *config.BaseEndpoint)
			t.Setenv("AWS_ACCESS_KEY_ID", test.key)
			t.Setenv("AWS_SECRET_ACCESS_KEY", test.key)
			t.Setenv("AWS_PROFILE", test.profile)
			_, err := aws.Open(t.Context(), test.want)
			wantError(t, err, aloft.Invalid, test.message, test.hint)
		})
	}
	// in CI the profile of aloft.yml is not there, and the keys are
	_, config := fake(t, map[string][]string{})
	t.Setenv("AWS_ENDPOINT_URL", *config.BaseEndpoint)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIA")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	if _, err := aws.Open(t.Context(), aws.Want{Profile: "nope", Account: "111122223333"}); err != nil {
		t.Error(err)
	}
}
