package fake

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Key is for stages that ask for a secret, as those of a model behind a paid service do. A test gives the digest beside
// the secret: the stage then does nothing unless the very secret has reached it, and what it does shows nothing of it.
type Key struct {
	Key       string `jupiter:"key,sensitive" desc:"A secret that the stage asks for where key_sha256 is set."`
	KeySHA256 string `jupiter:"key_sha256,effect=none" desc:"SHA-256 of the key that the stage wants, in hexadecimal; none where nothing is said."`
}

// unlock fails where another key is wanted. Its error repeats the key, as the errors of clients of paid services do: what
// shows it to anybody is the host's fault.
func (k Key) unlock() error {
	sum := sha256.Sum256([]byte(k.Key))
	if k.KeySHA256 != "" && k.KeySHA256 != hex.EncodeToString(sum[:]) {
		return fmt.Errorf("the key %q is not the one of key_sha256", k.Key)
	}
	return nil
}
