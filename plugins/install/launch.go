package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/hashicorp/go-version"

	"jupiter/plugins/host"
	"jupiter/plugins/lockfile"
	"jupiter/plugins/sdk"
)

// Refusal says why a required plugin cannot be started, in the words of a diagnostic.
type Refusal struct{ Summary, Detail string }

func (r *Refusal) Error() string { return r.Detail }

// Launch gives the program of a required plugin as the lock file has it. dir is that of the root module, store that of
// installed plugins. The program's checksum is not compared yet: the host does that at every start. The error is a
// *Refusal where the lock file does not say enough, or the program is not there.
func Launch(r Requirement, lock *lockfile.File, dir, store, platform string) (host.Program, error) {
	p := lock.Find(r.Name)
	if refusal := fits(r, p, platform); refusal != nil {
		return host.Program{}, refusal
	}
	program, err := located(r, p.Version, dir, store, platform)
	if errors.Is(err, fs.ErrNotExist) {
		return host.Program{}, &Refusal{Summary: "Plugin not installed", Detail: fmt.Sprintf("The plugin %q %s is locked, and not installed here. Run: jupiter init", r.Name, p.Version)}
	} else if err != nil {
		return host.Program{}, fmt.Errorf("plugin %s: %w", r.Name, err)
	}
	program.Checksum, program.TLS = p.Hashes[platform], host.TLS(p.TLS)
	return program, nil
}

// fits says what is missing in the lock of a plugin; nil: nothing.
func fits(r Requirement, p *lockfile.Plugin, platform string) *Refusal {
	if err := CheckSource(r.Source); err != nil {
		return &Refusal{Summary: "Invalid source", Detail: fmt.Sprintf("The source of the plugin %q is no source: %s.", r.Name, err)}
	}
	switch {
	case p == nil:
		return &Refusal{Summary: "Plugin not locked", Detail: fmt.Sprintf("The plugin %q is required, and %s has no entry for it. Run: jupiter init", r.Name, lockfile.Name)}
	case p.Source != r.Source:
		return &Refusal{Summary: "Plugin not locked", Detail: fmt.Sprintf("The plugin %q is required from %q, and %s has it from %q. Run: jupiter init", r.Name, r.Source, lockfile.Name, p.Source)}
	case !meets(p.Version, r.Constraint):
		return &Refusal{Summary: "Locked version does not fit", Detail: fmt.Sprintf("The plugin %q is required in a version %s, and %s has %s. Run: jupiter init --upgrade", r.Name, r.Constraint, lockfile.Name, p.Version)}
	case p.Protocol != sdk.ProtocolVersion:
		return &Refusal{Summary: "Another plugin protocol", Detail: fmt.Sprintf("The plugin %q is locked with version %d of the plugin protocol, and this program speaks version %d. Use a version of the plugin that does too: jupiter init --upgrade", r.Name, p.Protocol, sdk.ProtocolVersion)}
	case p.Hashes[platform] == "":
		return &Refusal{Summary: "Plugin not locked for this platform", Detail: fmt.Sprintf("%s has no checksum of the plugin %q %s for %s. Run jupiter init here, or jupiter plugin lock --platform %s where it was locked.", lockfile.Name, r.Name, p.Version, platform, platform)}
	}
	return nil
}

// located finds the program of a locked plugin. A file that is there is used; what was installed, else.
func located(r Requirement, version, dir, store, platform string) (host.Program, error) {
	if isLocal(r.Source) {
		path := local(dir, r.Source)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return host.Program{Path: path}, nil
		}
	}
	return find(place(store, r.Name, version, platform), r.Name)
}

// meets says whether a version meets a constraint. Everything meets "".
func meets(v, constraint string) bool {
	if constraint == "" {
		return true
	}
	have, err := version.NewVersion(v)
	if err != nil {
		return false
	}
	want, err := version.NewConstraint(constraint)
	return err == nil && want.Check(have)
}
