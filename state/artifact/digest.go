package artifact

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
)

const scheme = "sha256:"

// ErrDigest is returned for a string that is not "sha256:" and 64 lower-case hex digits.
var ErrDigest = errors.New("not an artifact digest")

// ParseDigest returns the hex digits of a digest.
func ParseDigest(digest string) (string, error) {
	digits, ok := strings.CutPrefix(digest, scheme)
	if !ok || len(digits) != 2*sha256.Size || strings.Trim(digits, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%w: %q", ErrDigest, digest)
	}
	return digits, nil
}

// Sum returns the digest of b, as PutBytes would.
func Sum(b []byte) string {
	sum := sha256.Sum256(b)
	return scheme + hex.EncodeToString(sum[:])
}

func digestOf(h hash.Hash) string { return scheme + hex.EncodeToString(h.Sum(nil)) }
