package host

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/protobuf/proto"

	"jupiter/plugins/proto/pluginv1"
)

// The cache has one file a plugin, "<name>-<key>.info": a line "jupiter plugin info 1 <SHA-256 of the rest>", then the
// InfoResponse. The key is a digest of the executable's SHA-256, the arguments and the host's version, so that a file is
// right for ever or not asked for. A file that is damaged counts as absent, and is written again.

const cacheHeader = "jupiter plugin info 1 "

func (h *Host) cacheKey(name string) (string, error) {
	l := h.pools[name]
	sum, err := l.exe.checksum()
	if err != nil {
		return "", err
	}
	if want := l.program.Checksum; want != "" && want != hex.EncodeToString(sum) {
		return "", &ChecksumError{Plugin: name, Path: l.exe.path, Want: want, Have: hex.EncodeToString(sum), Locked: true}
	}
	k := sha256.New()
	fmt.Fprintf(k, "%x\x00%s\x00%s\x00%q", sum, name, h.opts.Version, l.program.Args)
	return hex.EncodeToString(k.Sum(nil))[:24], nil
}

func (h *Host) cached(name, key string) *pluginv1.InfoResponse {
	if h.opts.CacheDir == "" {
		return nil
	}
	b, err := os.ReadFile(filepath.Join(h.opts.CacheDir, name+"-"+key+".info"))
	if err != nil {
		return nil
	}
	header, body, _ := bytes.Cut(b, []byte{'\n'})
	sum := sha256.Sum256(body)
	info := &pluginv1.InfoResponse{}
	if string(header) != cacheHeader+hex.EncodeToString(sum[:]) || proto.Unmarshal(body, info) != nil {
		return nil
	}
	return info
}

// cache keeps a description, and removes the older ones of the same plugin.
func (h *Host) cache(name, key string, info *pluginv1.InfoResponse) error {
	dir := h.opts.CacheDir
	if dir == "" {
		return nil
	}
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(info)
	if err != nil {
		return fmt.Errorf("plugin %s: cache its description: %w", name, err)
	}
	sum := sha256.Sum256(body)
	file := filepath.Join(dir, name+"-"+key+".info")
	if err := replaceFile(file, append([]byte(cacheHeader+hex.EncodeToString(sum[:])+"\n"), body...)); err != nil {
		return fmt.Errorf("plugin %s: cache its description: %w", name, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		old, ok := strings.CutPrefix(e.Name(), name+"-")
		old, suffix := strings.CutSuffix(old, ".info")
		if ok && suffix && len(old) == len(key) && old != key {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// replaceFile writes a file so that a reader sees all of it or none.
func replaceFile(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
