package host

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"jupiter/plugins/schema"
)

// profile is what a process may do. A process serves calls of its profile one after another; a call of another profile
// gets a process of its own.
type profile struct {
	network bool
	limits  Limits // Processes is set
	work    string // directory that it may write below
	names   string // variables of the user's environment that it has besides the usual ones, sorted, a space between them
}

// profileOf is that of a stage's calls.
func (h *Host) profileOf(s *schema.Stage, l Limits, names string) (profile, error) {
	work, err := h.workDir()
	l.Processes = cmp.Or(l.Processes, DefaultProcesses)
	return profile{network: s != nil && s.NeedsNetwork, limits: l, work: work, names: names}, err
}

// SetWorkDir says where calls have their directories from now on. Until then they are in a directory that Close removes,
// where the system keeps its temporary files. Processes that were started before serve no more calls of stages.
func (h *Host) SetWorkDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.work = dir
	h.mu.Unlock()
	for _, p := range h.processes() {
		if p.profile.work != dir && len(p.running()) == 0 {
			h.spawn(p.end)
		}
	}
	return nil
}

// workDir gives the directory below which each plugin has one of its own.
func (h *Host) workDir() (string, error) {
	h.mu.Lock()
	dir := h.work
	h.mu.Unlock()
	if dir != "" {
		return dir, nil
	}
	own, err := h.socketDir() // also the first time that anything is needed there
	if err != nil {
		return "", err
	}
	return filepath.Join(own, "work"), nil
}

// CallDir makes an empty directory for calls of a plugin, which it may write to while nothing else of the host's work is
// open to it. What was there under the same name is removed. It lies below the directory of SetWorkDir.
func (h *Host) CallDir(plugin, name string) (string, error) {
	root, err := h.workDir()
	if err != nil {
		return "", err
	}
	if !filepath.IsLocal(plugin) || !filepath.IsLocal(name) {
		return "", fmt.Errorf("plugin %q: no directory can be called %q", plugin, name)
	}
	dir := filepath.Join(root, plugin, name)
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o755)
}
