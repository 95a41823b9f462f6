package fake

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// Key is for stages that ask for a secret, as those of a model behind a paid service do. A test gives the digest beside
// the secret: the stage then does nothing unless the very secret has reached it, and what it does shows nothing of it.
type Key struct {
	Key       string `jupiter:"key,sensitive" desc:"A secret that the stage asks for where key_sha256 is set."`
	KeySHA256 string `jupiter:"key_sha256,effect=none" desc:"SHA-256 of the key that the stage wants, in hexadecimal; none where nothing is said."`
}

// errKey does not say what the key is.
var errKey = errors.New("the key is not the one of key_sha256")

// unlock fails where another key is wanted.
func (k Key) unlock() error {
	sum := sha256.Sum256([]byte(k.Key))
	if k.KeySHA256 != "" && k.KeySHA256 != hex.EncodeToString(sum[:]) {
		return errKey
	}
	return nil
}
