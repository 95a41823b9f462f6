//go:build linux

package host

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"

	"jupiter/plugins/proto/pluginv1"
)

// TestUnload: a process that does nothing and holds much is ended, and the next call has a new one; one that works, one that
// holds little and one of a plugin that is needed stay.
func TestUnload(t *testing.T) {
	t.Parallel()
	h := newHost(t, Options{}, "good", "better", "best")
	begin := func(plugin, mode string) grpc.ServerStreamingClient[pluginv1.CollectEvent] {
		t.Helper()
		s, err := h.Stage(t.Context(), "collector", plugin)
		if err != nil {
			t.Fatal(err)
		}
		stream, err := s.Collector().Collect(t.Context(), collector(t, h, plugin, mode))
		if err != nil {
			t.Fatal(err)
		}
		return stream
	}
	first := func(stream grpc.ServerStreamingClient[pluginv1.CollectEvent]) string {
		t.Helper()
		e, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		return e.GetBatch().Records[0].Text
	}
	end := func(stream grpc.ServerStreamingClient[pluginv1.CollectEvent]) {
		for err := error(nil); err == nil; {
			_, err = stream.Recv()
		}
	}
	pid := func(plugin, mode string) string {
		t.Helper()
		stream := begin(plugin, mode)
		defer end(stream)
		return first(stream)
	}
	large, needed, small := pid("good", "hold"), pid("better", "hold"), pid("best", "pid")

	waiting := begin("good", "wait")
	first(waiting)
	if ended := h.Unload("better"); len(ended) != 0 {
		t.Errorf("%v were ended: good has a call in work", ended)
	}
	var wg sync.WaitGroup
	wg.Go(func() { h.Stop(t.Context(), "enough", 0) })
	end(waiting)
	wg.Wait()
	if diff := cmp.Diff([]string{"good"}, h.Unload("better")); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
	if again := pid("good", "pid"); again == large {
		t.Error("good has the process that was ended")
	}
	if b, c := pid("better", "pid"), pid("best", "pid"); b != needed || c != small {
		t.Errorf("better and best have processes %s and %s, and had %s and %s", b, c, needed, small)
	}
}
