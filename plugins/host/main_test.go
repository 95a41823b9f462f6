//go:build linux

package host

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"jupiter/plugins/host/confine"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/certificate"
)

// The test binary is host and plugin in one, as the program is: started with "plugin NAME" it serves, with "host" it is a
// host that is about to be killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "plugin":
			servePlugin(os.Args[2])
			os.Exit(0)
		case "confine":
			code, err := confine.Main(os.Args[2:])
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			os.Exit(code)
		case "host":
			doomedHost()
			os.Exit(0)
		case "reaper":
			reaper()
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

func servePlugin(name string) {
	switch name {
	case "garbage":
		fmt.Println("Hello! I am not a plugin.")
		time.Sleep(time.Minute) // until the host kills it
	case "endless":
		for {
			fmt.Print(strings.Repeat("x", 4096))
		}
	case "silent":
		time.Sleep(time.Minute)
	case "stillborn":
		fmt.Fprintln(os.Stderr, "no license for this machine")
		os.Exit(7)
	case "cookie":
		os.Setenv(sdk.CookieKey, "another")
		sdk.Serve(sdk.Plugin{Name: "cookie"})
	case "mute": // a handshake, and nobody who accepts connections
		l, err := net.Listen("unix", filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "mute"))
		if err != nil {
			panic(err)
		}
		cert, _, _, err := certificate.New()
		if err != nil {
			panic(err)
		}
		fmt.Printf("1|%d|unix|%s|grpc|%s\n", sdk.ProtocolVersion, l.Addr(), base64.RawStdEncoding.EncodeToString(cert.Certificate[0]))
		time.Sleep(time.Minute)
	case "oldversion":
		fmt.Println("1|99|unix|/tmp/nowhere|grpc|")
		time.Sleep(time.Minute)
	case "bare": // makes no certificate, whatever it is asked for
		os.Unsetenv("PLUGIN_CLIENT_CERT")
		serveGiven()
	case "given":
		serveGiven()
	case "rogue":
		serveRogue()
	case "wrongname":
		sdk.Serve(sdk.Plugin{Name: "other", Version: "1.0.0"})
	default:
		sdk.Serve(testPlugin(name))
	}
}

type modeConfig struct {
	Mode    string  `jupiter:"mode,required"`
	Count   int     `jupiter:"count,effect=advance" default:"1"`
	Rate    float64 `jupiter:"rate,effect=none" default:"0.5"`
	Dir     *string `jupiter:"dir"`
	Workers int     `jupiter:"workers,effect=none"`
}

func (c modeConfig) Validate() []*sdk.Diagnostic {
	if c.Count < 0 {
		return []*sdk.Diagnostic{sdk.Error("Negative count", "Give at least 0.", "count")}
	}
	return nil
}

func (c modeConfig) Fingerprint(context.Context) (string, error) { return "mode:" + c.Mode, nil }

func testPlugin(name string) sdk.Plugin {
	stages := []sdk.Stage{
		sdk.Collector(name, sdk.Options{Revision: 1, Concurrent: true}, collect),
		sdk.Filter(name, sdk.Options{Concurrent: true}, func(context.Context, *sdk.Call, struct{}) (sdk.Judge, error) { return poisoned{}, nil }),
		sdk.Collector(name+"_online", sdk.Options{Concurrent: true, NeedsNetwork: true}, collect),
		sdk.Exporter(name, sdk.Options{}, export),
		sdk.Generator(name, sdk.Options{Concurrent: true}, echo{}),
	}
	return sdk.Plugin{Name: name, Version: "1.2.3", Stages: stages}
}

// collect does what its mode says, to the plugin's process if need be.
func collect(ctx context.Context, c *sdk.Call, cfg modeConfig, emit func(*sdk.RecordBatch) error) error {
	one := func() error { return emit(&sdk.RecordBatch{Records: []*sdk.Record{{Text: "one"}}}) }
	switch cfg.Mode {
	case "records":
		var b sdk.RecordBatch
		for i := range cfg.Count {
			b.Records = append(b.Records, &sdk.Record{Text: strconv.Itoa(i)})
		}
		b.Cursor = []byte(strconv.Itoa(cfg.Count))
		return emit(&b)
	case "error":
		return errors.New("the source is closed on Mondays")
	case "busy":
		return fmt.Errorf("ask the server: %w", sdk.Transient(errors.New("it is busy")))
	case "panic":
		panic("index of the moon")
	case "panic in goroutine":
		go panic("nobody recovers me")
		<-ctx.Done()
		return ctx.Err()
	case "exit":
		if err := one(); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond) // the record is on its way when the process ends
		fmt.Fprintln(os.Stderr, "about to leave")
		fmt.Println("printed to stdout")
		os.Exit(3)
	case "kill":
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "oom":
		fmt.Fprintln(os.Stderr, "fatal error: runtime: out of memory")
		os.Exit(2)
	case "hang":
		if err := one(); err != nil {
			return err
		}
		select {}
	case "suspend":
		if err := one(); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond) // the record is on its way when the process stops
		if err := syscall.Kill(os.Getpid(), syscall.SIGSTOP); err != nil {
			return err
		}
		select {} // the other threads may run on for a moment
	case "wait": // for Stop or the end of the context
		if err := one(); err != nil {
			return err
		}
		select {
		case <-c.Stopped:
			return emit(&sdk.RecordBatch{Records: []*sdk.Record{{Text: "saved"}}, Cursor: []byte("saved")})
		case <-ctx.Done():
			return errors.Join(ctx.Err(), os.WriteFile(filepath.Join(c.WorkDir, "cancelled"), nil, 0o644))
		}
	case "child":
		cmd := exec.Command("sleep", "60")
		if err := cmd.Start(); err != nil {
			return err
		}
		if err := emit(&sdk.RecordBatch{Records: []*sdk.Record{{Text: strconv.Itoa(cmd.Process.Pid)}}}); err != nil {
			return err
		}
		select {}
	case "hold":
		held = bytes.Repeat([]byte{1}, 300<<20)
		return emit(&sdk.RecordBatch{Records: []*sdk.Record{{Text: strconv.Itoa(os.Getpid())}}})
	case "pid":
		return emit(&sdk.RecordBatch{Records: []*sdk.Record{{Text: strconv.Itoa(os.Getpid())}}})
	case "env":
		wd, err := os.Getwd()
		if err != nil {
			return err
		}
		return emit(&sdk.RecordBatch{Records: []*sdk.Record{{Text: strings.Join(append([]string{wd}, os.Environ()...), "\x00")}}})
	case "write", "dial", "processes", "stray", "stray hang", "hog", "threads", "bomb":
		return collectConfined(ctx, c, cfg, emit)
	case "tls":
		return emit(&sdk.RecordBatch{Records: []*sdk.Record{{Text: os.Getenv("PLUGIN_CLIENT_CERT"), Meta: map[string]string{"socket": os.Getenv("PLUGIN_UNIX_SOCKET_DIR")}}}})
	}
	return fmt.Errorf("no mode %q", cfg.Mode)
}

// poisoned is a filter that dies of one record.
type poisoned struct{}

func (poisoned) Refer([]*sdk.Record) error { return nil }

func (poisoned) Judge(records []*sdk.Record) ([]*sdk.Verdict, error) {
	v := make([]*sdk.Verdict, len(records))
	for i, r := range records {
		if r.Text == "poison" {
			os.Exit(4)
		}
		v[i] = &sdk.Verdict{Keep: true}
	}
	return v, nil
}

// export holds its call until the work directory has a file "go".
func export(ctx context.Context, c *sdk.Call, _ struct{}, _ *sdk.Artifact, emit func(*sdk.Output) error) error {
	name := strconv.Itoa(os.Getpid())
	if err := os.WriteFile(filepath.Join(c.WorkDir, name), nil, 0o644); err != nil {
		return err
	}
	if err := emit(&sdk.Output{Name: "model", Path: name}); err != nil {
		return err
	}
	for {
		if _, err := os.Stat(filepath.Join(c.WorkDir, "go")); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// echo is a generator that answers prompts with themselves.
type echo struct{}

func (echo) Generate(_ context.Context, _ *sdk.Call, _ struct{}, req *sdk.GenerateRequest, emit func(*sdk.RecordBatch) error) error {
	for _, s := range req.Sets {
		if err := emit(&sdk.RecordBatch{Records: []*sdk.Record{{Text: fmt.Sprint(s.Template, " ", len(s.Prompts))}}}); err != nil {
			return err
		}
	}
	return nil
}

func (echo) Complete(_ context.Context, _ *sdk.Call, _ struct{}, _ *sdk.Artifact, _ *sdk.Sampling, prompts []*sdk.Prompt, emit func(*sdk.Completion) error) error {
	for _, p := range prompts {
		if p.Text == "poison" {
			os.Exit(4)
		}
		if err := emit(&sdk.Completion{Text: p.Text}); err != nil {
			return err
		}
	}
	return nil
}

// doomedHost starts a plugin whose call never ends, says which processes there are, and waits to be killed.
func doomedHost() {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	var wrapper []string
	if os.Args[3] != "as it is" {
		wrapper = []string{exe, "confine"}
	}
	h, err := New(Options{Plugins: map[string]Program{"good": {Path: exe, Args: []string{"plugin", "good"}}}, Wrapper: wrapper, Env: os.Environ()})
	if err != nil {
		panic(err)
	}
	if os.Args[3] == "without namespaces" {
		h.confined.refuse()
	}
	s, err := h.Stage(context.Background(), "collector", "good")
	if err != nil {
		panic(err)
	}
	mode := os.Args[2]
	stream, err := s.Collector().Collect(context.Background(), &pluginv1.CollectRequest{Call: &pluginv1.Call{Stage: "good", Config: &pluginv1.Config{Json: []byte(`{"mode":"` + mode + `"}`)}}})
	if err != nil {
		panic(err)
	}
	if _, err := stream.Recv(); err != nil {
		panic(err)
	}
	p := h.processes()[0]
	all := tree(p.pid())
	h.mu.Lock()
	fmt.Println(os.Getpid(), served(p), all[len(all)-1], h.tmp)
	h.mu.Unlock()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// reaper runs a host whose orphans it inherits, as the first process of a container does. It is in the host's session, so
// that the plugin's process group is not orphaned by the host's death, and the kernel does not hang it up.
func reaper() {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		panic(err)
	}
	cmd := exec.Command(os.Args[0], "host", os.Args[2], os.Args[3])
	cmd.Stdout, cmd.Stderr, cmd.Stdin = os.Stdout, os.Stderr, os.Stdin
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	for { // reaps whatever it inherits, until it has no children
		if _, err := syscall.Wait4(-1, nil, 0, nil); err != nil && err != syscall.EINTR {
			return
		}
	}
}

// held is what a process keeps that was told to.
var held []byte
