package s3

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/seal"
)

// KeyID names the KMS key that the account's stack has.
const KeyID = "alias/aloft"

// Sealer encrypts config with a data key per app, as seal.Keyring does. The data keys are wrapped by a key in KMS, which never
// leaves it, and each is bound to its app by the encryption context aloft:app. A data key is unwrapped once per process. It is safe
// for concurrent use.
type Sealer struct {
	client *kms.Client
	keyID  string

	mu   sync.Mutex
	keys map[string]seal.DataKey // by app and wrapped key
}

// NewSealer returns a Sealer whose data keys are wrapped by a KMS key, KeyID as a rule.
func NewSealer(config aws.Config, keyID string) *Sealer {
	return &Sealer{client: kms.NewFromConfig(config), keyID: keyID, keys: map[string]seal.DataKey{}}
}

// kmsLimit bounds a call of KMS with the SDK's further tries: nobody gives the methods below a context.
const kmsLimit = 20 * time.Second

func contextOf(app string) map[string]string { return map[string]string{"aloft:app": app} }

// NewKey makes a data key for an app and returns it wrapped.
func (s *Sealer) NewKey(app string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), kmsLimit)
	defer cancel()
	made, err := s.client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: &s.keyID, KeySpec: types.DataKeySpecAes256, EncryptionContext: contextOf(app)})
	if err != nil {
		return nil, s.fail("make the data key of app "+app, err)
	}
	key, err := seal.NewDataKey(app, made.Plaintext)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[app+"/"+string(made.CiphertextBlob)] = key
	return made.CiphertextBlob, nil
}

// key returns the app's data key.
func (s *Sealer) key(app aloft.App) (seal.DataKey, error) {
	if len(app.Key) == 0 {
		return seal.DataKey{}, aloft.Errorf(aloft.Internal, "app %q has no data key", app.Name).WithHint("bring back an earlier version of %s", indexKey)
	}
	s.mu.Lock()
	defer s.mu.Unlock() // who wants the same key waits for the answer
	name := app.Name + "/" + string(app.Key)
	if key, ok := s.keys[name]; ok {
		return key, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), kmsLimit)
	defer cancel()
	opened, err := s.client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: app.Key, EncryptionContext: contextOf(app.Name)})
	if err != nil {
		return seal.DataKey{}, s.fail("open the data key of app "+app.Name, err)
	}
	key, err := seal.NewDataKey(app.Name, opened.Plaintext)
	if err == nil {
		s.keys[name] = key
	}
	return key, err
}

// Seal encrypts the config of a release of a stage of the app.
func (s *Sealer) Seal(app aloft.App, stage string, version int, config aloft.Config) (aloft.SealedConfig, error) {
	key, err := s.key(app)
	if err != nil {
		return aloft.SealedConfig{}, err
	}
	return key.Seal(stage, version, config), nil
}

// Unseal decrypts what Seal made. It returns Internal if a value was changed, or belongs to another app, stage, version or name.
func (s *Sealer) Unseal(app aloft.App, stage string, sealed aloft.SealedConfig) (aloft.Config, error) {
	if len(sealed.Values) == 0 {
		return aloft.Config{}, nil
	}
	key, err := s.key(app)
	if err != nil {
		return nil, err
	}
	return key.Unseal(stage, sealed)
}

// fail turns an error of KMS into one that a user may see.
func (s *Sealer) fail(doing string, err error) error {
	code := ""
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		code = api.ErrorCode()
	}
	made := aloft.Errorf(aloft.Unavailable, "%s: %w", doing, short(err))
	switch code {
	case "InvalidCiphertextException", "IncorrectKeyException":
		made = aloft.Errorf(aloft.Internal, "%s: it is damaged, or the key of another app or account", doing)
		return made.WithHint("bring back an earlier version of %s; the bucket keeps them", indexKey)
	case "NotFoundException":
		return made.WithHint("the key %s is made by the stack \"aloft\" with the first deploy to the account; look at the account and region of your credentials", s.keyID)
	case "AccessDeniedException":
		return made.WithHint("allow your AWS user kms:GenerateDataKey and kms:Decrypt on the key %s", s.keyID)
	case "DisabledException", "KMSInvalidStateException":
		return made.WithHint("the key is disabled or about to be deleted: aws kms cancel-key-deletion and aws kms enable-key bring it back")
	case "ExpiredTokenException":
		return made.WithHint("your AWS credentials have expired; log in to AWS again")
	}
	return made
}
