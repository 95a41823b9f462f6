package infer

import (
	"math"
	"slices"
	"testing"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/model"
)

// reference gives the logits after every token of ids, [len(ids)][Vocab]: the model written down in float64, without
// cache, batch or kernels.
func reference(w *model.Weights, ids []int32) [][]float64 {
	c := w.Config
	n := len(ids)
	x := make([][]float64, n)
	for t, id := range ids {
		x[t] = wide(w.Embed[int(id)*c.Dim:][:c.Dim])
	}
	for _, l := range w.Layers {
		q, k, v := make([][]float64, n), make([][]float64, n), make([][]float64, n)
		for t := range n {
			qkv := times(l.QKV, norm(x[t], l.AttnNorm, c.NormEps))
			q[t], k[t], v[t] = qkv[:c.AttnDim()], qkv[c.AttnDim():][:c.KVDim()], qkv[c.AttnDim()+c.KVDim():]
			rotate(q[t], t, c)
			rotate(k[t], t, c)
		}
		for t := range n {
			mix := make([]float64, c.AttnDim())
			for h := range c.Heads {
				at, kv := h*c.HeadDim, h/(c.Heads/c.KVHeads)*c.HeadDim
				p := make([]float64, t+1)
				var sum float64
				for s := range p {
					p[s] = math.Exp(dot(q[t][at:at+c.HeadDim], k[s][kv:kv+c.HeadDim]) / math.Sqrt(float64(c.HeadDim)))
					sum += p[s]
				}
				for s := range p {
					for i := range c.HeadDim {
						mix[at+i] += p[s] / sum * v[s][kv+i]
					}
				}
			}
			add(x[t], times(l.O, mix))
		}
		for t := range n {
			gu := times(l.GateUp, norm(x[t], l.FFNNorm, c.NormEps))
			act := make([]float64, c.FFN)
			for i := range act {
				act[i] = gu[i] / (1 + math.Exp(-gu[i])) * gu[c.FFN+i]
			}
			add(x[t], times(l.Down, act))
		}
	}
	for t := range n {
		x[t] = times(w.OutputMatrix(), norm(x[t], w.Norm, c.NormEps))
	}
	return x
}

func wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func times(w []float32, x []float64) []float64 {
	out := make([]float64, len(w)/len(x))
	for i := range out {
		out[i] = dot(wide(w[i*len(x):][:len(x)]), x)
	}
	return out
}

func norm(x []float64, gain []float32, eps float64) []float64 {
	out := make([]float64, len(x))
	for i := range x {
		out[i] = x[i] / math.Sqrt(dot(x, x)/float64(len(x))+eps) * float64(gain[i])
	}
	return out
}

func rotate(x []float64, pos int, c model.Config) {
	half := c.HeadDim / 2
	for h := 0; h < len(x); h += c.HeadDim {
		for i := range half {
			sin, cos := math.Sincos(float64(pos) * math.Pow(c.RopeTheta, -2*float64(i)/float64(c.HeadDim)) / c.RopeFactor(i))
			a, b := x[h+i], x[h+i+half]
			x[h+i], x[h+i+half] = a*cos-b*sin, b*cos+a*sin
		}
	}
}

func add(x, y []float64) {
	for i := range x {
		x[i] += y[i]
	}
}

// logprob is that of token t after logits.
func logprob(logits []float64, t int32) float64 {
	var sum float64
	for _, x := range logits {
		sum += math.Exp(x - logits[t])
	}
	return -math.Log(sum)
}

var texts = []string{
	"7ft5in en in:7*12=84;84+5=89;89in", "89in en ft:7*12=84;89-84=5;7ft5in", "the question and the answer", "the answer and the question",
	"25mar+14d:25+14=39;39-31=8;8abr", "5ft3in en in:5*12=60;60+3=63;63in",
}

// small is a model with random parameters, large enough that its texts differ: grouped heads, an output of its own.
func small(t testing.TB) (*Model, *model.Weights) {
	t.Helper()
	tok := bpe.Train(slices.Values(append(texts, texts...)), bpe.Options{VocabSize: 300})
	return build(t, tok, model.Config{
		Vocab: tok.Size(), Dim: 32, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 10, FFN: 52, Context: 96, RopeTheta: 10000, NormEps: 1e-5,
	})
}

func build(t testing.TB, tok *bpe.Tokenizer, c model.Config) (*Model, *model.Weights) {
	t.Helper()
	w := model.New(c)
	w.Init(11)
	for i := range w.Embed { // a fresh model is close to uniform, and hides errors
		w.Embed[i] *= 10
	}
	for i := range w.Output {
		w.Output[i] *= 10
	}
	for _, l := range w.Layers {
		for i := range l.AttnNorm {
			l.AttnNorm[i] += float32(i%5) / 8
			l.FFNNorm[i] -= float32(i%3) / 8
		}
		for i := range l.O {
			l.O[i] *= 4
		}
	}
	m, err := New(w, tok)
	if err != nil {
		t.Fatal(err)
	}
	return m, w
}
