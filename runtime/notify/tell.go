package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// maxSaid bounds what is kept of what a command says, and what is read of a webhook's answer: 4 KiB.
const maxSaid = 4 << 10

// run runs a hook's command once, with the notice on its standard input. It ends with all that it has started.
func (t *Teller) run(ctx context.Context, h Hook, n Notice, body []byte) error {
	cmd := exec.CommandContext(ctx, h.Command[0], h.Command[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdin = t.Dir, append(append([]string{}, t.Env...), variables(n)...), bytes.NewReader(body)
	said := &tail{}
	cmd.Stdout, cmd.Stderr = said, said
	cmd.WaitDelay = time.Second // where something that it started keeps its output open
	ownGroup(cmd)
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if text := strings.TrimSpace(string(said.b)); text != "" {
		return fmt.Errorf("%s: %w: %s", h.Command[0], err, text)
	}
	return fmt.Errorf("%s: %w", h.Command[0], err)
}

// variables are a notice as variables of the environment.
func variables(n Notice) []string {
	env := []string{"JUPITER_EVENT=" + n.Event, "JUPITER_NOTICE=" + n.ID, "JUPITER_TEXT=" + n.Text, "JUPITER_PROJECT=" + n.Project, "JUPITER_RUN=" + n.Run,
		"JUPITER_CYCLE=" + n.Cycle, "JUPITER_VERSION=", "JUPITER_OUTCOME=" + n.Outcome, "JUPITER_EXIT_STATUS="}
	for i, name := range env {
		switch {
		case name == "JUPITER_VERSION=" && n.Version > 0:
			env[i] += strconv.FormatUint(n.Version, 10)
		case name == "JUPITER_EXIT_STATUS=" && n.Status != nil:
			env[i] += strconv.Itoa(*n.Status)
		}
		env[i] = strings.ReplaceAll(env[i], "\x00", "")
	}
	return env
}

// tail keeps the last bytes that are written to it.
type tail struct{ b []byte }

func (t *tail) Write(b []byte) (int, error) {
	t.b = append(t.b, b...)
	t.b = t.b[max(0, len(t.b)-maxSaid):]
	return len(b), nil
}

// post posts a notice, and again after a pause where that may help.
func (t *Teller) post(ctx context.Context, h Hook, body []byte) error {
	for try, pause := 1, backoff; ; try, pause = try+1, 2*pause {
		again, err := t.once(ctx, h, body)
		if err == nil || !again || try == tries {
			if err != nil && try > 1 {
				err = fmt.Errorf("%w (%d tries)", err, try)
			}
			return err
		}
		if t.Pause(ctx, pause) != nil {
			return fmt.Errorf("%w (%d tries)", err, try)
		}
	}
}

// once posts a notice; again says whether another try may help. A redirect is not followed: headers could go to somebody
// else.
func (t *Teller) once(ctx context.Context, h Hook, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.Webhook, bytes.NewReader(body))
	if err != nil {
		return false, errors.New("the address of the webhook cannot be used")
	}
	req.Header.Set("User-Agent", "jupiter")
	for name, value := range h.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/json")
	client := *t.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	var at *url.Error
	if errors.As(err, &at) { // its text has the address
		err = at.Err
	}
	if err != nil {
		return true, fmt.Errorf("webhook: %w", err)
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxSaid) // so that the connection can be used again
	if resp.StatusCode/100 == 2 {
		return false, nil
	}
	again = resp.StatusCode/100 == 5 || resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusRequestTimeout
	return again, fmt.Errorf("webhook: HTTP status %d", resp.StatusCode)
}
