package host

import (
	"bytes"
	"fmt"

	"google.golang.org/protobuf/proto"

	"jupiter/plugins/proto/pluginv1"
)

// maxIdle is how many messages in a row may bring nothing. Each counts as a sign of life, so that a plugin that sends them
// without end would never be taken for hung. Whoever reports as the protocol says, every few seconds, may do so for weeks.
const maxIdle = 1 << 18

// idle counts messages that bring nothing, and says what is wrong with the one too many. t.mu is held.
func (t *tracker) idle(m any) string {
	if t.news(m) {
		t.idled = 0
		return ""
	}
	if t.idled++; t.idled <= maxIdle {
		return ""
	}
	return fmt.Sprintf("it sends more than %d messages in a row that bring nothing", maxIdle)
}

// news says whether a message brings anything: a record, an answer, another cursor or figure than the one before.
func (t *tracker) news(m any) bool {
	if e, ok := m.(interface{ GetBatch() *pluginv1.RecordBatch }); ok && e.GetBatch() != nil {
		b := e.GetBatch()
		other := len(b.Cursor) > 0 && !bytes.Equal(b.Cursor, t.cursor)
		if other {
			t.cursor = b.Cursor
		}
		return other || len(b.Records) > 0
	}
	if e, ok := m.(*pluginv1.VerifyEvent); ok && len(e.Judgements) > 0 {
		return true // with its progress, or without
	}
	if e, ok := m.(interface{ GetProgress() *pluginv1.Progress }); ok && e.GetProgress() != nil {
		other := !proto.Equal(e.GetProgress(), t.last)
		t.last = e.GetProgress()
		return other
	}
	switch m := m.(type) {
	case *pluginv1.CollectEvent, *pluginv1.GenerateEvent, *pluginv1.VerifyEvent: // a diagnostic, or empty
		return false
	case *pluginv1.FilterEvent:
		return len(m.GetVerdicts().GetVerdicts()) > 0
	case *pluginv1.PrepareResponse:
		return len(m.Questions) > 0
	case *pluginv1.CompleteEvent:
		return m.GetCompletion() != nil || m.GetPiece().GetText() != "" || len(m.GetPiece().GetTokens()) > 0
	case *pluginv1.TrainEvent:
		return m.GetCheckpoint() != nil
	case *pluginv1.ExportEvent:
		return m.GetOutput() != nil
	case *pluginv1.ImportEvent:
		return m.GetOutput() != nil
	}
	return true
}
