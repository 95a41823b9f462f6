package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"jupiter/runtime"
)

// Types of errors, as OpenAI has them.
const (
	invalidRequest = "invalid_request_error"
	serverError    = "server_error"
	overloaded     = "overloaded_error"
)

// apiError is an error in OpenAI's form:
//
//	{"error": {"message": "…", "type": "invalid_request_error", "param": "top_p", "code": null}}
type apiError struct {
	status      int
	typ         string
	message     string
	param, code string // "": null
	allow       string // the method that would be right
	retryAfter  bool
}

func (e *apiError) Error() string { return e.message }

// bad is what is wrong with a parameter.
func bad(param, format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, typ: invalidRequest, param: param, message: fmt.Sprintf(format, args...)}
}

var (
	errTimeout = errors.New("the request took longer than it may")
	errFull    = &apiError{status: http.StatusServiceUnavailable, typ: overloaded, code: "server_full", retryAfter: true,
		message: "as many requests as may be are in work or wait for their turn; try again later"}
)

func wrongMethod(r *http.Request) error {
	allow := http.MethodPost
	if r.URL.Path == "/health" || strings.HasPrefix(r.URL.Path, "/v1/models") {
		allow = http.MethodGet
	}
	return &apiError{status: http.StatusMethodNotAllowed, typ: invalidRequest, allow: allow, message: fmt.Sprintf("%s takes %s, not %s", clip(r.URL.Path), allow, clip(r.Method))}
}

func noEndpoint(r *http.Request) error {
	return &apiError{status: http.StatusNotFound, typ: invalidRequest,
		message: fmt.Sprintf("there is no %s: there is /v1/models, /v1/completions, /v1/chat/completions and /health", clip(r.URL.Path))}
}

// inForm gives any error in OpenAI's form. ctx is the request's.
func inForm(ctx context.Context, err error) *apiError {
	var own *apiError
	var large *http.MaxBytesError
	switch refused := runtime.Refused(err); {
	case errors.As(err, &own):
		return own
	case errors.As(err, &large):
		return &apiError{status: http.StatusRequestEntityTooLarge, typ: invalidRequest, code: "request_too_large", message: fmt.Sprintf("the request has more than %d bytes", large.Limit)}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &apiError{status: http.StatusRequestTimeout, typ: invalidRequest, code: "timeout", message: "the request did not come within " + sendWithin.String()}
	case refused != "":
		return bad("", "%s", refused)
	case errors.Is(context.Cause(ctx), errTimeout):
		return &apiError{status: http.StatusGatewayTimeout, typ: serverError, code: "timeout", message: errTimeout.Error()}
	case ctx.Err() != nil:
		return &apiError{status: http.StatusServiceUnavailable, typ: serverError, code: "shutting_down", message: "the server is being ended"}
	}
	first, rest, _ := strings.Cut(err.Error(), "\n")
	if rest != "" { // a plugin's last words are for whoever runs the server
		first += "; the server's log has more"
	}
	return &apiError{status: http.StatusInternalServerError, typ: serverError, message: "the generator has failed: " + first}
}

// body is the error as JSON.
func (e *apiError) body() []byte {
	null := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	type inner struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	}
	b, err := json.Marshal(map[string]inner{"error": {strings.ToValidUTF8(e.message, "\uFFFD"), e.typ, null(e.param), null(e.code)}})
	if err != nil {
		panic(err) // strings can be encoded
	}
	return b
}

// fail writes an error as the answer, or as the end of one that has begun, and gives the status for the log.
func (x *exchange) fail(ctx context.Context, r *http.Request, err error) int {
	if r.Context().Err() != nil && context.Cause(r.Context()) == context.Canceled && !ended(r) {
		return statusGone
	}
	if x.status != 0 && errors.Is(err, os.ErrDeadlineExceeded) { // it takes nothing of its answer
		return statusGone
	}
	e := inForm(ctx, err)
	x.within()
	if x.status != 0 { // in the middle of a stream
		fmt.Fprintf(x, "data: %s\n\n", e.body())
		return e.status
	}
	h := x.Header()
	h.Set("Content-Type", "application/json")
	if e.allow != "" {
		h.Set("Allow", e.allow)
	}
	if e.retryAfter {
		h.Set("Retry-After", "1")
	}
	if e.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	x.WriteHeader(e.status)
	_, _ = x.Write(append(e.body(), '\n')) // a client that is gone is no matter
	return e.status
}

// ended says whether it is the server that ends, and not the client that has gone.
func ended(r *http.Request) bool {
	base, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	if !ok || base.BaseContext == nil {
		return false
	}
	return base.BaseContext(nil).Err() != nil
}
