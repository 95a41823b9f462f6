//go:build linux

package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/schema"
)

func TestNotAPlugin(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"garbage":    `plugin garbage breaks the protocol: it wrote "Hello! I am not a plugin." to standard output`,
		"endless":    `plugin endless breaks the protocol: it wrote "xxxxx`,
		"silent":     "plugin silent breaks the protocol: no handshake within 1s",
		"mute":       "plugin mute breaks the protocol: no connection within 1s of its handshake",
		"cookie":     "plugin cookie breaks the protocol: it refuses to be started by this host (magic cookie)",
		"oldversion": "plugin oldversion breaks the protocol: its handshake is not valid: incompatible API version",
		"wrongname":  `plugin wrongname 1.0.0 breaks the protocol: it calls itself "other"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, Options{StartTimeout: time.Second}, name)
			_, err := h.Stages(t.Context())
			var pe *ProtocolError
			if !errors.As(err, &pe) || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%T: %v, want %s", err, err, want)
			}
		})
	}
}

func TestCrashAtStart(t *testing.T) {
	t.Parallel()
	h := newHost(t, Options{}, "stillborn")
	_, err := h.Stages(t.Context())
	var c *Crash
	if !errors.As(err, &c) || c.ExitCode != 7 || !slices.Contains(c.Stderr, "no license for this machine") {
		t.Fatalf("%v, want a crash with exit status 7", err)
	}
	if want := "plugin stillborn crashed (exit status 7): it ended before it was ready\nits executable: sha256:"; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%q, want %q", err, want)
	}
}

func TestExecutableIsVerified(t *testing.T) {
	t.Parallel()
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(exe, self, 0o755); err != nil {
		t.Fatal(err)
	}
	h, err := New(Options{Plugins: map[string]Program{"good": {Path: exe, Args: []string{"plugin", "good"}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if _, err := h.pools["good"].exe.checksum(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(exe+".new", append(self, 0), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(exe+".new", exe); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Stages(t.Context()); err == nil || !strings.Contains(err.Error(), "has changed since this run began") {
		t.Errorf("%v, want that the executable has changed", err)
	}

	h2, err := New(Options{Plugins: map[string]Program{"good": {Path: exe + ".missing"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer h2.Close()
	if _, err := h2.Stages(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v, want that there is no such file", err)
	}
}

// A host that is killed takes its plugins with it, and what they started, whoever inherits them and even where a plugin
// was suspended.
func TestHostKilled(t *testing.T) {
	t.Parallel()
	for _, parent := range []string{"host", "reaper"} {
		for _, mode := range []string{"child", "stray", "suspend"} {
			for _, way := range []string{"as it is", "confined", "without namespaces"} {
				if mode == "stray" && way == "as it is" {
					continue // what leaves its group remains
				}
				t.Run(parent+" "+mode+" "+way, func(t *testing.T) {
					t.Parallel()
					killHost(t, parent, mode, way)
				})
			}
		}
	}
}

func killHost(t *testing.T, parent, mode, way string) {
	cmd := exec.Command(os.Args[0], parent, mode, way)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe() // held open, so that only the kill ends the host
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var host, plugin, child int
	var dir string
	if _, err := fmt.Sscan(line, &host, &plugin, &child, &dir); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	defer os.RemoveAll(dir)
	if mode == "suspend" {
		waitFor(t, "the plugin is suspended", func() bool { return processState(plugin) == "T" })
	} else if !running(plugin) {
		t.Fatalf("plugin %d is not there", plugin)
	}
	if err := syscall.Kill(host, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	gone(t, plugin)
	if running(plugin) { // nothing is left behind by a test that failed
		_ = syscall.Kill(-plugin, syscall.SIGKILL)
	}
	gone(t, child)
	waitFor(t, "the socket is removed", func() bool {
		left, err := filepath.Glob(dir + "/plugin-dir*")
		return err == nil && len(left) == 0
	})
	stdin.Close()
	_ = cmd.Wait() // "signal: killed" where it was the host
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := newHost(t, Options{Dir: dir, Env: []string{"PATH=/bin", "OPENAI_API_KEY=secret", "LC_ALL=C", "LANGUAGE=de", "SSL_CERT_DIR=/certs", "JUNK"}}, "good")
	got, err := collectAll(t, t.Context(), h, "env")
	if err != nil {
		t.Fatal(err)
	}
	env := strings.Split(got[0], "\x00")
	if resolved, _ := filepath.EvalSymlinks(dir); env[0] != resolved {
		t.Errorf("working directory %s, want %s", env[0], resolved)
	}
	var names []string
	for _, kv := range env[1:] {
		if name, _, _ := strings.Cut(kv, "="); !strings.HasPrefix(name, "PLUGIN_") && !strings.HasPrefix(name, "JUPITER_") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"LC_ALL", "PATH", "SSL_CERT_DIR", "TMPDIR"}, names); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if strings.Contains(got[0], "secret") {
		t.Error("a secret of the environment reached the plugin")
	}
}

// A stage's process has the variables that its configuration names, and a value that it repeats is not shown. Another
// stage's process has not.
func TestGivenVariables(t *testing.T) {
	t.Parallel()
	h := newHost(t, Options{Env: []string{"PATH=/bin", "SOME_API_KEY=a secret of some length", "OTHER=not named"}}, "good")
	s, err := h.Stage(t.Context(), "collector", "good")
	if err != nil {
		t.Fatal(err)
	}
	env := func(s *Stage) string {
		t.Helper()
		stream, err := s.Collector().Collect(t.Context(), collector(t, h, "good", "env"))
		if err != nil {
			t.Fatal(err)
		}
		var text string
		for {
			e, err := stream.Recv()
			if err == io.EOF {
				return text
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range e.GetBatch().GetRecords() {
				text += r.Text
			}
		}
	}
	for range 2 { // the first process is still there, and is not taken for the second
		if got := env(s.Given([]string{"SOME_API_KEY", "NOT_SET"})); !strings.Contains(got, "SOME_API_KEY=a secret of some length") || strings.Contains(got, "OTHER=") || strings.Contains(got, "NOT_SET") {
			t.Errorf("environment %q", got)
		}
		if got := env(s.Given(nil)); strings.Contains(got, "SOME_API_KEY") {
			t.Errorf("environment of a stage that names no variable: %q", got)
		}
	}
	if got := h.Hide("it says: a secret of some length."); got != "it says: (sensitive)." {
		t.Errorf("shown: %q", got)
	}
}

// The plugin's socket takes nobody without the host's certificate.
func TestAutoMTLS(t *testing.T) {
	t.Parallel()
	h := newHost(t, Options{}, "good")
	s, err := h.Stage(t.Context(), "collector", "good")
	if err != nil {
		t.Fatal(err)
	}
	stream, err := s.Collector().Collect(t.Context(), collector(t, h, "good", "tls"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	r := e.GetBatch().Records[0]
	if !strings.HasPrefix(r.Text, "-----BEGIN CERTIFICATE-----") {
		t.Errorf("the plugin has no certificate of the host: %q", r.Text)
	}
	sockets, err := filepath.Glob(r.Meta["socket"] + "/*")
	if err != nil || len(sockets) != 1 {
		t.Fatalf("sockets %v, %v", sockets, err)
	}
	cc, err := grpc.NewClient("passthrough:///x", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return net.Dial("unix", sockets[0]) }))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	if _, err := pluginv1.NewPluginClient(cc).Info(t.Context(), &pluginv1.InfoRequest{}); err == nil {
		t.Error("the plugin answers a stranger")
	}
}

func TestStagesAreCached(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := newHost(t, Options{CacheDir: dir}, "good", "better")
	want, err := first.Stages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range want {
		names = append(names, s.Kind+" "+s.Type)
	}
	if diff := cmp.Diff([]string{"collector better", "collector better_online", "collector good", "collector good_online", "generator better", "generator good", "filter better", "filter good", "exporter better", "exporter good"}, names); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
	second := newHost(t, Options{CacheDir: dir}, "good", "better")
	got, err := second.Stages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(second.processes()); n != 0 {
		t.Errorf("%d processes were started for what the cache knows", n)
	}
	same := cmp.Options{cmp.Comparer(func(a, b cty.Type) bool { return a.Equals(b) }), cmp.Comparer(func(a, b cty.Value) bool { return a == b || a != cty.NilVal && b != cty.NilVal && a.RawEquals(b) })}
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Errorf("cached stages (-want +got):\n%s", diff)
	}
	// Damage makes the file worth nothing.
	files, err := filepath.Glob(dir + "/good-*.info")
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(files[0], b, 0o644); err != nil {
		t.Fatal(err)
	}
	third := newHost(t, Options{CacheDir: dir}, "good", "better")
	if _, err := third.Stages(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(third.processes()); n != 1 {
		t.Errorf("%d processes, want that of the plugin whose cached description is damaged", n)
	}
}

func TestUnknownStage(t *testing.T) {
	t.Parallel()
	h := newHost(t, Options{}, "good", "better")
	for _, tt := range []struct{ kind, typ, want string }{
		{"collector", "god", `no plugin offers collector "god"; there is better, better_online, good, good_online; did you mean "good"?`},
		{"collector", "somethingelse", `no plugin offers collector "somethingelse"; there is better, better_online, good, good_online`},
		{"trainer", "good", `no plugin offers trainer "good", or any other trainer`},
		{"trainr", "good", `there is no kind of stage "trainr"; the kinds are collector, generator, filter, verifier, trainer, exporter, evaluator`},
	} {
		if _, err := h.Stage(t.Context(), tt.kind, tt.typ); err == nil || err.Error() != tt.want {
			t.Errorf("%s %s: %v, want %s", tt.kind, tt.typ, err, tt.want)
		}
	}
}

func TestValidateEstimateFingerprint(t *testing.T) {
	t.Parallel()
	h := newHost(t, Options{}, "good", "better")
	items := []Item{
		{Kind: "collector", Type: "good", Config: []byte(`{"mode":"x","count":1}`)},
		{Kind: "collector", Type: "better", Config: []byte(`{"mode":"x","count":-1}`)},
		{Kind: "collector", Type: "good", Config: []byte(`{"mode":"x","count":-2}`)},
		{Kind: "filter", Type: "good", Config: []byte(`{}`)},
		{Kind: "collector", Type: "good", Config: []byte(`{"mode":"x","rate":"fast"}`)},
	}
	for range 3000 { // more than a message holds
		items = append(items, Item{Kind: "collector", Type: "good", Config: fmt.Appendf(nil, `{"mode":%q,"count":-1}`, strings.Repeat("m", 500))})
	}
	diags, err := h.Validate(t.Context(), items)
	if err != nil {
		t.Fatal(err)
	}
	count := []schema.Diagnostic{{Severity: 1, Summary: "Negative count", Detail: "Give at least 0.", Path: cty.GetAttrPath("count")}}
	rate := []schema.Diagnostic{{Severity: 1, Summary: "Invalid configuration", Detail: "Attribute rate: is a string, wanted a number.", Path: cty.GetAttrPath("rate")}}
	path := cmp.Comparer(func(a, b cty.Path) bool { return a.Equals(b) })
	if diff := cmp.Diff([][]schema.Diagnostic{nil, count, count, nil, rate}, diags[:5], path); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s", diff)
	}
	for i, d := range diags[5:] {
		if !cmp.Equal(d, count, path) {
			t.Fatalf("item %d: %v", i+5, d)
		}
	}
	s, err := h.Stage(t.Context(), "collector", "good")
	if err != nil {
		t.Fatal(err)
	}
	if one, err := s.Validate(t.Context(), items[2].Config); err != nil || !cmp.Equal(one, count, path) {
		t.Errorf("validate one: %v, %v", one, err)
	}
	if f, err := s.Fingerprint(t.Context(), items[0].Config); err != nil || f.Digest != "mode:x" {
		t.Errorf("fingerprint: %v, %v", f, err)
	}
	if _, err := s.Check(t.Context(), items[0].Config); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("check: %v, want ErrUnsupported", err)
	}
	if _, err := s.Estimate(t.Context(), items[0].Config, 1); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("estimate: %v, want ErrUnsupported", err)
	}
}

func TestOOMCount(t *testing.T) {
	t.Parallel()
	if oomKills() < -1 {
		t.Error("a negative count")
	}
	v2 := "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n"
	v1 := "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n"
	if a, b, c := oomCount(v2), oomCount(v1), oomCount("nothing\n"); a != 2 || b != 5 || c != -1 {
		t.Errorf("counts %d, %d, %d, want 2, 5, -1", a, b, c)
	}
	want := []string{"/sys/fs/cgroup/memory/a/memory.oom_control", "/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/b/memory.events", "/sys/fs/cgroup/memory.events"}
	if diff := cmp.Diff(want, oomFiles("11:memory:/a\n1:cpu:/\n0::/b\n")); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	tl := &tail{}
	for i := range 120 {
		fmt.Fprintf(tl, "line %d\n", i)
	}
	fmt.Fprint(tl, strings.Repeat("x", 2*tailLine), "\x1b[31m")
	fmt.Fprint(tl, "\nthe \x1b[31mend")
	got := tl.last()
	if len(got) != tailLines+1 || got[0] != "line 71" || got[tailLines-1] != strings.Repeat("x", tailLine) || got[tailLines] != "the  [31mend" {
		t.Errorf("%d lines, %q", len(got), got)
	}
}

// BenchmarkLaunch is the time from nothing to a plugin's first answer, with checksum, re-execution and AutoMTLS.
func BenchmarkLaunch(b *testing.B) {
	for b.Loop() {
		h := newHost(b, Options{}, "good")
		if _, err := h.Stages(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		h.Close()
		b.StartTimer()
	}
}

// BenchmarkCall is a call with one record, in a process that runs already.
func BenchmarkCall(b *testing.B) {
	h := newHost(b, Options{StallAfter: time.Minute}, "good")
	s, err := h.Stage(b.Context(), "collector", "good")
	if err != nil {
		b.Fatal(err)
	}
	req := collector(b, h, "good", "pid")
	for b.Loop() {
		stream, err := s.Collector().Collect(b.Context(), req)
		if err != nil {
			b.Fatal(err)
		}
		if events, err := readAll(stream.Recv); err != nil || len(events) != 1 {
			b.Fatal(events, err)
		}
	}
}

// BenchmarkRecords is the stream of 10,000 small records in one call.
func BenchmarkRecords(b *testing.B) {
	h := newHost(b, Options{StallAfter: time.Minute}, "good")
	for b.Loop() {
		if got, err := collectAll(b, b.Context(), h, "records", `,"count":10000`); err != nil || len(got) != 10000 {
			b.Fatal(len(got), err)
		}
	}
}

// Where TMPDIR is too long for a socket, as it is by default on darwin, sockets go where they fit.
func TestLongTemporaryDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), strings.Repeat("x", 60))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	h := newHost(t, Options{Env: append(os.Environ(), "TMPDIR="+dir)}, "plain")
	if _, err := h.Stage(t.Context(), "collector", "plain"); err != nil {
		t.Fatal(err)
	}
	if p := h.processes(); len(p) != 1 || strings.HasPrefix(h.tmp, dir) {
		t.Errorf("%d processes, sockets in %s", len(p), h.tmp)
	}
}
