package host

import (
	"slices"
	"strings"
)

// environment gives the part of the parent's environment that a plugin gets: what a program needs to run, to find
// temporary space and its user's files, to speak the user's language, to bound its threads and to find a GPU and
// certificates, and those that the configuration of its stage names. Nothing else passes, so that a secret in the
// environment reaches a plugin only when a configuration says so.
func environment(parent, named []string) []string {
	var env []string
	for _, kv := range parent {
		name, _, ok := strings.Cut(kv, "=")
		if ok && (allowed(name) || slices.Contains(named, name)) {
			env = append(env, kv)
		}
	}
	return env
}

func allowed(name string) bool {
	switch name {
	case "PATH", "HOME", "TMPDIR", "LANG", "TZ", "GOMAXPROCS", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES":
		return true
	}
	return strings.HasPrefix(name, "LC_") || strings.HasPrefix(name, "SSL_CERT_")
}

// lookup gives the value of a variable in a list of "NAME=value"; the last one wins.
func lookup(env []string, name string) (value string) {
	for _, kv := range env {
		if n, v, ok := strings.Cut(kv, "="); ok && n == name {
			value = v
		}
	}
	return value
}
