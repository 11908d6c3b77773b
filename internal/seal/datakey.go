package seal

import (
	"fmt"

	"github.com/aloft-run/aloft"
)

// DataKey is the data key of an app in clear, for who keeps it wrapped by something else than a Keyring. Printed, it shows its id only.
type DataKey struct {
	key

	app string
}

// NewDataKey returns the data key of an app. It returns Internal unless secret has 32 bytes.
func NewDataKey(app string, secret []byte) (DataKey, error) {
	if len(secret) != keySize {
		return DataKey{}, aloft.Errorf(aloft.Internal, "the data key of app %q has %d bytes", app, len(secret))
	}
	return DataKey{makeKey([keySize]byte(secret)), app}, nil
}

// Seal encrypts the config of a release of a stage of the app.
func (k DataKey) Seal(stage string, version int, c aloft.Config) aloft.SealedConfig {
	sealed := aloft.SealedConfig{Version: version}
	if len(c) > 0 {
		sealed.Values = make(map[string][]byte, len(c))
	}
	for name, value := range c {
		sealed.Values[name] = k.seal([]byte(value), k.valueData(stage, version, name))
	}
	return sealed
}

// Unseal decrypts what Seal made. It returns Internal if a value was changed, or belongs to another app, stage, version or name;
// no message holds anything of a value.
func (k DataKey) Unseal(stage string, s aloft.SealedConfig) (aloft.Config, error) {
	c := make(aloft.Config, len(s.Values))
	for name, box := range s.Values {
		plain, ok := k.open(box, k.valueData(stage, s.Version, name))
		if !ok {
			return nil, aloft.Errorf(aloft.Internal, "the sealed value of %q of app %q is damaged or belongs elsewhere", name, k.app).
				WithHint("restore the database from a backup, or set the variable again")
		}
		c[name] = string(plain)
	}
	return c, nil
}

func (k DataKey) valueData(stage string, version int, name string) []byte {
	return fmt.Appendf(nil, "v1|%s/%s|%d|%s", k.app, stage, version, name)
}
