package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/awsapi"
	"github.com/aloft-run/aloft/internal/seal"
	"github.com/aloft-run/aloft/internal/sqlite"
)

// awsKeys keeps the server's access key for AWS's clients, sealed.
type awsKeys struct {
	store *sqlite.Store
	ring  *seal.Keyring

	mu    sync.Mutex
	known awsapi.Credential // zero until it was read
}

// The entry of the store, and the names under which the key is sealed in it.
const (
	awsEntry  = "aws-access-key"
	awsApp    = "aws"
	awsStage  = "server"
	awsID     = "AWS_ACCESS_KEY_ID"
	awsSecret = "AWS_SECRET_ACCESS_KEY" //nolint:gosec // a name
)

// sealedKey is an access key at rest.
type sealedKey struct {
	Key    []byte // the data key
	Config aloft.SealedConfig
}

// credential returns the access key, if it has that id.
func (k *awsKeys) credential(ctx context.Context, id string) (awsapi.Credential, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.load(ctx); err != nil {
		return awsapi.Credential{}, err
	}
	if k.known.KeyID == "" || k.known.KeyID != id {
		return awsapi.Credential{}, awsapi.ErrUnknown
	}
	return k.known, nil
}

// current returns the access key, and makes one if there is none, or if it is to be another.
func (k *awsKeys) current(ctx context.Context, rotate bool) (awsapi.Credential, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.load(ctx); err != nil {
		return awsapi.Credential{}, err
	}
	if k.known.KeyID != "" && !rotate {
		return k.known, nil
	}
	made := awsapi.Credential{KeyID: "AKIA" + rand.Text()[:16], Secret: rand.Text() + rand.Text()[:14]} // as long as AWS's
	if err := k.save(ctx, made); err != nil {
		return awsapi.Credential{}, err
	}
	k.known = made
	return made, nil
}

func (k *awsKeys) load(ctx context.Context) error {
	if k.known.KeyID != "" {
		return nil
	}
	text, err := k.store.Meta(ctx, awsEntry)
	if err != nil || text == nil {
		return err
	}
	var sealed sealedKey
	if err := json.Unmarshal(text, &sealed); err != nil {
		return fmt.Errorf("read the access key: %w", err)
	}
	config, err := k.ring.Unseal(aloft.App{Name: awsApp, Key: sealed.Key}, awsStage, sealed.Config)
	if err != nil {
		return err
	}
	k.known = awsapi.Credential{KeyID: config[awsID], Secret: config[awsSecret]}
	return nil
}

func (k *awsKeys) save(ctx context.Context, c awsapi.Credential) error {
	sealed := sealedKey{}
	var err error
	if sealed.Key, err = k.ring.NewKey(awsApp); err != nil {
		return err
	}
	if sealed.Config, err = k.ring.Seal(aloft.App{Name: awsApp, Key: sealed.Key}, awsStage, 1, aloft.Config{awsID: c.KeyID, awsSecret: c.Secret}); err != nil {
		return err
	}
	text, err := json.Marshal(sealed)
	if err != nil {
		return err
	}
	return k.store.SetMeta(ctx, awsEntry, text)
}
