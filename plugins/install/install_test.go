package install

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"jupiter/plugins/host"
	"jupiter/plugins/lockfile"
)

// asked is an Identify that starts nothing: a program's text is NAME VERSION.
type asked struct{ times int }

func (a *asked) identify(_ context.Context, _ string, p host.Program) (*host.Identity, error) {
	a.times++
	b, err := os.ReadFile(p.Path)
	if err != nil {
		return nil, err
	}
	name, version, _ := strings.Cut(string(b), " ")
	if p.TLS == host.TLSDetect {
		p.TLS = host.TLSAuto
	}
	return &host.Identity{Name: name, Version: version, Protocol: 1, TLS: p.TLS}, nil
}

// shop makes an installer with a mirror of wordfilter's versions.
func shop(t *testing.T, versions ...string) (*Installer, *asked) {
	t.Helper()
	a := &asked{}
	in := &Installer{Dir: t.TempDir(), Store: filepath.Join(t.TempDir(), "plugins"), Platform: "linux_amd64", Identify: a.identify}
	for _, v := range versions {
		stock(t, in, v, "words "+v)
	}
	return in, a
}

// stock puts an archive into the mirror.
func stock(t *testing.T, in *Installer, version, text string) {
	t.Helper()
	b, err := os.ReadFile(zipOf(t, t.TempDir(), []member{{"words", text, 0o755, false}}))
	if err != nil {
		t.Fatal(err)
	}
	put(t, in.Dir, "m/words_"+version+"_linux_amd64.zip", b)
}

func words(constraint string) []Requirement {
	return []Requirement{{Name: "words", Source: "./m", Constraint: constraint}}
}

func TestResolution(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, constraint, locked string // "": nothing is locked
		upgrade                  bool
		want                     string // version and action, or what is in the error
	}{
		{"newest", "", "", false, "1.10.0 locked"},
		{"numbers are compared as such", "< 1.10", "", false, "1.9.0 locked"},
		{"several constraints", ">= 1.0, != 1.10.0, < 2", "", false, "1.9.0 locked"},
		{"pessimistic", "~> 1.9.0", "", false, "1.9.0 locked"},
		{"a pre-release that is named", ">= 2.0.0-rc.1", "", false, "2.0.0-rc.1 locked"},
		{"a pre-release that is not", ">= 2.0", "", false, "no version meets >= 2.0; there is 2.0.0-rc.1, 1.10.0, 1.9.0"},
		{"locked stays", "", "1.9.0", false, "1.9.0 installed"},
		{"locked goes with upgrade", "", "1.9.0", true, "1.10.0 upgraded"},
		{"nothing newer", "< 1.10", "1.9.0", true, "1.9.0 kept"},
		{"locked does not fit", "< 1.9", "1.9.0", false, "version 1.9.0 is locked, and < 1.9 is required"},
		{"locked is gone", "", "1.8.0", false, "has no archive words_1.8.0_linux_amd64.zip"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			in, _ := shop(t, "1.9.0", "1.10.0", "2.0.0-rc.1")
			lock := &lockfile.File{}
			if tc.locked != "" {
				one, _ := shop(t, tc.locked)
				var err error
				if lock, _, err = one.Init(t.Context(), words(""), lock); err != nil {
					t.Fatal(err)
				}
			}
			before := string(lock.Bytes())
			in.Upgrade = tc.upgrade
			next, done, err := in.Init(t.Context(), words(tc.constraint), lock)
			if string(lock.Bytes()) != before {
				t.Error("the lock that was given has changed")
			}
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				got = next.Find("words").Version + " " + done[0].Action
				if p, err := Launch(words(tc.constraint)[0], next, in.Dir, in.Store, in.Platform); err != nil || !reflect.DeepEqual(p, done[0].Program) {
					t.Errorf("%+v, %v, want %+v", p, err, done[0].Program)
				}
			}
			if !strings.Contains(got, tc.want) {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}

// TestNeverStarted: what has another checksum than the lock says is refused before it is started, and what is as locked is
// not started at all.
func TestNeverStarted(t *testing.T) {
	t.Parallel()
	in, a := shop(t, "1.0.0")
	lock, _, err := in.Init(t.Context(), words(""), &lockfile.File{})
	if err != nil || a.times != 1 {
		t.Fatalf("asked %d times, %v", a.times, err)
	}
	if _, _, err := in.Init(t.Context(), words(""), lock); err != nil || a.times != 1 {
		t.Errorf("asked %d times, %v", a.times, err)
	}
	if err := os.RemoveAll(in.Store); err != nil {
		t.Fatal(err)
	}
	stock(t, in, "1.0.0", "words 1.0.0 and something else")
	_, _, err = in.Init(t.Context(), words(""), lock)
	var changed *ChangedError
	if !errors.As(err, &changed) || changed.Want != lock.Find("words").Hashes["linux_amd64"] || len(changed.Have) != 64 || a.times != 1 {
		t.Errorf("asked %d times, %v", a.times, err)
	}
	if left, err := os.ReadDir(in.Store); err != nil || len(left) > 0 {
		t.Errorf("%v is left behind, %v", left, err)
	}
	in.Upgrade = true
	if _, done, err := in.Init(t.Context(), words(""), lock); err == nil || len(done) > 0 { // its version is no version
		t.Errorf("%v", done)
	}
}

// TestEachByItself: an error of one plugin hides none of another.
func TestEachByItself(t *testing.T) {
	t.Parallel()
	in, _ := shop(t, "1.0.0")
	_, done, err := in.Init(t.Context(), []Requirement{{Name: "a", Source: "a"}, words("")[0], {Name: "z", Source: "./none"}}, &lockfile.File{})
	if len(done) != 1 || err == nil || !strings.Contains(err.Error(), "plugin a:") || !strings.Contains(err.Error(), "plugin z:") {
		t.Errorf("%v, %v", done, err)
	}
}

func TestLaunchRefuses(t *testing.T) {
	t.Parallel()
	good := lockfile.Plugin{Name: "words", Source: "./m", Version: "1.2.0", Protocol: 1, TLS: "auto", Hashes: map[string]string{"linux_amd64": strings.Repeat("1", 64)}}
	for name, tc := range map[string]struct {
		need   Requirement
		change func(*lockfile.Plugin)
		want   string
	}{
		"not locked":       {Requirement{Name: "other", Source: "./m"}, func(*lockfile.Plugin) {}, "Plugin not locked"},
		"another source":   {Requirement{Name: "words", Source: "./n"}, func(*lockfile.Plugin) {}, "Plugin not locked"},
		"no source":        {Requirement{Name: "words", Source: "acme/words"}, func(*lockfile.Plugin) {}, "Invalid source"},
		"constraint":       {words("< 1.2")[0], func(*lockfile.Plugin) {}, "Locked version does not fit"},
		"protocol":         {words("")[0], func(p *lockfile.Plugin) { p.Protocol = 2 }, "Another plugin protocol"},
		"another platform": {words("")[0], func(p *lockfile.Plugin) { p.Hashes = map[string]string{"linux_arm64": "1"} }, "Plugin not locked for this platform"},
		"not installed":    {words("")[0], func(*lockfile.Plugin) {}, "Plugin not installed"},
	} {
		p := good
		tc.change(&p)
		_, err := Launch(tc.need, &lockfile.File{Plugins: []lockfile.Plugin{p}}, t.TempDir(), t.TempDir(), "linux_amd64")
		var r *Refusal
		if !errors.As(err, &r) || r.Summary != tc.want {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
	}
}

func TestCheckSource(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"./bin/x", "../x", ".", "..", "/opt/x", "example.com/x", "example.com/acme/x/cmd/y", "github.com/Acme/x/v2"} {
		if err := CheckSource(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "x", "acme/x", "bin/x", "https://example.com/x", "example.com/x@v1", "example.com/../x", "example.com/x y", "-x.com/y", "git@example.com:x", `.\x`} {
		if CheckSource(bad) == nil {
			t.Errorf("%q is taken for a source", bad)
		}
	}
}
