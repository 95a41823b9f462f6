// Package confine starts a plugin so that it can do little harm: it is the wrapper that restricts itself and then executes
// the plugin.
//
// The host does not start a plugin itself. It starts the wrapper, the program itself once more, in namespaces of its own
// (Attr), and tells it what the plugin may do (Spec). The wrapper restricts itself, starts the plugin as its child, waits,
// and reports over a pipe, file descriptor 3, one JSON object a line (Message): first what it could put in force, at last how
// the plugin ended. Standard input, output and error are the plugin's.
//
// On Linux:
//
//   - Landlock: the plugin reads and executes what the user may, and writes below Spec.Write and to devices alone.
//   - A PID namespace whose first process is the wrapper: it sees no process but its own, and with the wrapper everything
//     in it ends, also what has left the plugin's process group or session. Where the namespace cannot be had, the wrapper
//     adopts what the plugin leaves behind, and kills it at the end.
//   - A network namespace without network, but for the loopback interface, unless Spec.Network. Where the namespace cannot
//     be had, Landlock refuses TCP, from Linux 6.7 on.
//   - At most Spec.Processes processes and threads, where the namespaces can be had and the kernel counts by them.
//   - No capabilities, and no new privileges by executing something.
//
// The namespaces need a user namespace where the host is not root, which some systems refuse. What a system refuses is in
// Report.Missing; the plugin is started all the same, and the host says what is missing. Elsewhere than on Linux there is
// no wrapper.
//
// When the host dies its end of the pipe is closed: the wrapper ends, and with it the plugin.
package confine

import (
	"encoding/json"
	"fmt"
)

// Spec is what a plugin may do.
type Spec struct {
	Path    string   `json:"path"`  // executable, absolute; "": nothing is started, and the report is all
	Args    []string `json:"args"`  // without the name
	Write   []string `json:"write"` // directories, absolute, that it may write below; they must be there
	Network bool     `json:"network"`

	// Processes is how many processes and threads it may have, together with the wrapper's own, before the kernel refuses
	// more; 0: no bound.
	Processes uint64 `json:"processes"`

	Remove string `json:"remove"` // directory to remove when the host is gone; "": none

	Namespaces bool `json:"namespaces"` // the wrapper was started with Attr's namespaces
}

// Report is what is in force.
type Report struct {
	Landlock  int      `json:"landlock"`  // version of its interface; 0: not in force
	Processes bool     `json:"processes"` // a PID namespace, with a /proc of its own
	Network   bool     `json:"network"`   // a network namespace, where the plugin is to have no network
	Bounded   bool     `json:"bounded"`   // the number of processes, where it is to be
	Missing   []string `json:"missing"`   // what this system lacks, and why, a sentence each
}

// Exit is how the plugin ended.
type Exit struct {
	Code   int `json:"code"`   // -1 where a signal ended it
	Signal int `json:"signal"` // its number; 0 where it exited
}

// Message is one line on file descriptor 3. One field is set.
type Message struct {
	Report *Report `json:"report,omitempty"`
	Failed string  `json:"failed,omitempty"` // why the plugin could not be started
	Exit   *Exit   `json:"exit,omitempty"`
}

// Arg spells a Spec as the wrapper's one argument.
func (s Spec) Arg() (string, error) {
	b, err := json.Marshal(s)
	return string(b), err
}

func parse(args []string) (s Spec, err error) {
	if len(args) != 1 {
		return s, fmt.Errorf("one argument, and it is for the plugin host alone to give it")
	}
	if err := json.Unmarshal([]byte(args[0]), &s); err != nil {
		return s, fmt.Errorf("its argument is for the plugin host alone to give: %w", err)
	}
	return s, nil
}
