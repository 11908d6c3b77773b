package seal

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"github.com/aloft-run/aloft"
)

const fileName = "master.key"

const (
	dataKeyData = "v1|data key"
	checkData   = "v1|check"
)

// Keyring holds the master key, all its generations. It is safe for concurrent use.
type Keyring struct {
	path string

	mu   sync.Mutex
	keys []key // oldest first; the last one seals
	new  bool  // made in memory, on no disk yet
}

// Open reads master.key in dir. If there is none the keyring has a new key that is written at its first use; see the
// package comment for what to do before. It returns Conflict for a file that others may read or a directory that others
// may write, and Internal for a damaged file.
func Open(dir string) (*Keyring, error) {
	r := &Keyring{path: filepath.Join(dir, fileName)}
	keys, err := load(r.path)
	if err != nil {
		return nil, err
	}
	r.keys = keys
	if len(keys) == 0 {
		r.keys, r.new = []key{newKey()}, true
	}
	return r, nil
}

// String says how many generations there are, and nothing else.
func (r *Keyring) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprintf("keyring(%d)", len(r.keys))
}

// GoString keeps keys out of %#v.
func (r *Keyring) GoString() string { return r.String() }

// current returns the key that seals, after making sure that it is on the disk.
func (r *Keyring) current() (key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.new {
		if err := create(r.path, r.keys); err != nil {
			return key{}, err
		}
		r.new = false
	}
	return r.keys[len(r.keys)-1], nil
}

// NewKey makes a data key for an app and returns it wrapped by the master key. It does not matter which app.
func (r *Keyring) NewKey(_ string) (wrapped []byte, err error) {
	master, err := r.current()
	if err != nil {
		return nil, err
	}
	secret := newKey().secret
	return master.seal(secret[:], []byte(dataKeyData)), nil
}

// Rotate adds a generation to the master key; what is wrapped from then on is wrapped by it. The generations before stay
// in the file, and can be dropped by hand once every data key went through Rewrap.
func (r *Keyring) Rotate() error {
	if _, err := r.current(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := append(slices.Clone(r.keys), newKey())
	if err := replace(r.path, keys); err != nil {
		return err
	}
	r.keys = keys
	return nil
}

// Rewrap wraps a data key again by the newest master key. Values sealed with the data key stay as they are.
func (r *Keyring) Rewrap(wrapped []byte) ([]byte, error) {
	secret, err := r.openBox(wrapped, dataKeyData, "data key")
	if err != nil {
		return nil, err
	}
	master, err := r.current()
	if err != nil {
		return nil, err
	}
	return master.seal(secret, []byte(dataKeyData)), nil
}

// Check returns a value by which Verify recognises the master key. It is no secret. Take a new one after Rotate.
func (r *Keyring) Check() ([]byte, error) {
	master, err := r.current()
	if err != nil {
		return nil, err
	}
	return master.seal(nil, []byte(checkData)), nil
}

// Verify returns Conflict, with how to go on, if the master key is missing or is not the one that made check, and
// Internal if check is damaged. It writes nothing.
func (r *Keyring) Verify(check []byte) error {
	_, err := r.openBox(check, checkData, "check value of the master key")
	return err
}

// openBox opens what a generation of the master key sealed. What names it in messages.
func (r *Keyring) openBox(box []byte, additional, what string) ([]byte, error) {
	id, ok := boxID(box)
	if !ok {
		return nil, aloft.Errorf(aloft.Internal, "the %s is damaged", what).WithHint("restore the database from a backup")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.keys, func(k key) bool { return k.id == id })
	switch {
	case i < 0 && r.new:
		return nil, aloft.Errorf(aloft.Conflict, "the master key %s is missing, and config sealed with it exists", r.path).
			WithHint("put the backup of the file with key %s back there; without it the config cannot be read. Nothing was changed", id)
	case i < 0:
		return nil, aloft.Errorf(aloft.Conflict, "%s is not the master key the config was sealed with", r.path).
			WithHint("put the backup of the file with key %s back there; nothing was changed", id)
	}
	plain, ok := r.keys[i].open(box, []byte(additional))
	if !ok {
		return nil, aloft.Errorf(aloft.Internal, "the %s is damaged", what).WithHint("restore the database from a backup")
	}
	return plain, nil
}

// unwrap returns the app's data key.
func (r *Keyring) unwrap(app aloft.App) (DataKey, error) {
	if len(app.Key) == 0 {
		return DataKey{}, aloft.Errorf(aloft.Internal, "app %q has no data key", app.Name).WithHint("restore the database from a backup")
	}
	secret, err := r.openBox(app.Key, dataKeyData, "data key of app "+app.Name)
	if err != nil {
		return DataKey{}, err
	}
	return NewDataKey(app.Name, secret)
}
