// Package seal encrypts config at rest. Each app has a data key; each value is sealed with it by XChaCha20-Poly1305 under a
// random nonce and bound to its app, its stage, its version and its name, so that no value can be read or moved without the key. Data
// keys are stored wrapped by the master key, which lives in a file of its own.
//
// It protects backups, copied disks and a read of the database. It does not protect from root on this machine: the key is here.
//
// # Formats
//
//	sealed value   01 | id of the data key (8) | nonce (24) | ciphertext and tag      additional data: v1|app/stage|version|name
//	wrapped key    01 | id of the master key (8) | nonce (24) | ciphertext and tag    additional data: v1|data key
//	check value    01 | id of the master key (8) | nonce (24) | tag                   additional data: v1|check
//
// The id of a key is the first 8 bytes of SHA-256("aloft key id" | key). App and stage names hold neither "|" nor "/" and versions are digits, so
// the additional data of two values never is the same.
//
// # The master key and its check value
//
// Opening a directory without a key file makes a new key in memory; the file is written when it is used for the first time.
// So the caller of Open does one of two things, before anything else:
//
//   - if the state holds a check value, Verify it. That fails if the file is missing or holds another key, and nothing has been written;
//   - if it holds none, nothing was sealed yet: store what Check returns in the state.
package seal

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/aloft-run/aloft"
)

const (
	formatVersion = 1
	keySize       = chacha20poly1305.KeySize
	idSize        = 8
	headSize      = 1 + idSize + chacha20poly1305.NonceSizeX
)

// keyID names a key without giving it away.
type keyID [idSize]byte

func (id keyID) String() string { return fmt.Sprintf("%x", id[:]) }

// key is 32 random bytes with what is computed from them.
type key struct {
	secret [keySize]byte
	id     keyID
	aead   cipher.AEAD
}

func newKey() key {
	var secret [keySize]byte
	_, _ = rand.Read(secret[:]) // never fails
	return makeKey(secret)
}

func makeKey(secret [keySize]byte) key {
	aead, err := chacha20poly1305.NewX(secret[:])
	if err != nil {
		panic(err) // the size is right by its type
	}
	sum := sha256.Sum256(append([]byte("aloft key id"), secret[:]...))
	return key{secret: secret, id: keyID(sum[:idSize]), aead: aead}
}

// String keeps the secret out of every output.
func (k key) String() string { return "key " + k.id.String() }

// GoString keeps the secret out of %#v.
func (k key) GoString() string { return k.String() }

// seal returns head, ciphertext and tag.
func (k key) seal(plain, additional []byte) []byte {
	box := make([]byte, headSize, headSize+len(plain)+k.aead.Overhead())
	box[0] = formatVersion
	copy(box[1:], k.id[:])
	nonce := box[1+idSize : headSize]
	_, _ = rand.Read(nonce) // never fails; 24 bytes are enough to never repeat
	return k.aead.Seal(box, nonce, plain, additional)
}

// open returns the plaintext of a box that seal made with the same key and additional data.
func (k key) open(box, additional []byte) ([]byte, bool) {
	id, ok := boxID(box)
	if !ok || id != k.id {
		return nil, false
	}
	plain, err := k.aead.Open(nil, box[1+idSize:headSize], box[headSize:], additional)
	return plain, err == nil
}

// boxID returns the id of the key that sealed the box; false if it is not a box of a format we know.
func boxID(box []byte) (keyID, bool) {
	if len(box) < headSize+chacha20poly1305.Overhead || box[0] != formatVersion {
		return keyID{}, false
	}
	return keyID(box[1 : 1+idSize]), true
}

// Seal encrypts the config of a release of a stage of the app. It returns Internal or Conflict if the app's key cannot be unwrapped.
func (r *Keyring) Seal(app aloft.App, stage string, version int, c aloft.Config) (aloft.SealedConfig, error) {
	k, err := r.unwrap(app)
	if err != nil {
		return aloft.SealedConfig{}, err
	}
	return k.Seal(stage, version, c), nil
}

// Unseal decrypts the config of a release of a stage of the app. It returns Internal if a value was changed, or belongs to another
// app, stage, version or name; no message holds anything of a value.
func (r *Keyring) Unseal(app aloft.App, stage string, s aloft.SealedConfig) (aloft.Config, error) {
	if len(s.Values) == 0 {
		return aloft.Config{}, nil
	}
	k, err := r.unwrap(app)
	if err != nil {
		return nil, err
	}
	return k.Unseal(stage, s)
}
