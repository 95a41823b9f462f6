package train

import (
	"math"

	"jupiter/plugins/builtin/llama/model"
)

// reference is the model written the obvious way, in float64, one sequence at a time, one token at a time: what the
// fused operations are measured against.
type reference struct {
	model.Config
	flat []float64 // as Weights.Flat
	// drop is the dropout factor of element j of a row at a site, nil without dropout.
	drop func(sequence, position, site, j int) float64
}

func newReference(w *model.Weights) *reference {
	r := &reference{Config: w.Config, flat: make([]float64, len(w.Flat))}
	for i, x := range w.Flat {
		r.flat[i] = float64(x)
	}
	return r
}

// matrices cuts flat as the model does.
func (r *reference) matrices() (embed []float64, layers [][]([]float64), norm, output []float64) {
	rest := r.flat
	take := func(n int) []float64 {
		part := rest[:n]
		rest = rest[n:]
		return part
	}
	embed = take(r.Vocab * r.Dim)
	for range r.Layers {
		layers = append(layers, [][]float64{
			take(r.Dim), take(r.QKVRows() * r.Dim), take(r.Dim * r.AttnDim()), take(r.Dim), take(2 * r.FFN * r.Dim), take(r.Dim * r.FFN),
		})
	}
	norm = take(r.Dim)
	if r.Tied {
		return embed, layers, norm, embed
	}
	return embed, layers, norm, take(r.Vocab * r.Dim)
}

func matVec(w, x []float64, out int) []float64 {
	y := make([]float64, out)
	for o := range y {
		for i, v := range x {
			y[o] += w[o*len(x)+i] * v
		}
	}
	return y
}

func (r *reference) rms(x, gain []float64) []float64 {
	var sum float64
	for _, v := range x {
		sum += v * v
	}
	f := 1 / math.Sqrt(sum/float64(len(x))+r.NormEps)
	y := make([]float64, len(x))
	for i := range x {
		y[i] = x[i] * f * gain[i]
	}
	return y
}

// rotate turns each head of x for a position: Hugging Face's rotate_half.
func (r *reference) rotate(x []float64, position int) {
	half := r.HeadDim / 2
	for h := 0; h < len(x); h += r.HeadDim {
		for i := range half {
			angle := float64(position) / math.Pow(r.RopeTheta, float64(2*i)/float64(r.HeadDim)) / r.RopeFactor(i)
			a, b := x[h+i], x[h+half+i]
			x[h+i] = a*math.Cos(angle) - b*math.Sin(angle)
			x[h+half+i] = b*math.Cos(angle) + a*math.Sin(angle)
		}
	}
}

// nll gives −ln p of tokens[1:], in nats.
func (r *reference) nll(sequence int, tokens []int32) []float64 {
	embed, layers, norm, output := r.matrices()
	n := len(tokens) - 1
	x := make([][]float64, n)
	for t := range x {
		x[t] = append([]float64{}, embed[int(tokens[t])*r.Dim:][:r.Dim]...)
	}
	add := func(t, site int, branch []float64) {
		for j, v := range branch {
			if r.drop != nil {
				v *= r.drop(sequence, t, site, j)
			}
			x[t][j] += v
		}
	}
	for l, p := range layers {
		attended := r.attend(x, p)
		for t := range x {
			add(t, 2*l, matVec(p[2], attended[t], r.Dim))
			gu := matVec(p[4], r.rms(x[t], p[3]), 2*r.FFN)
			h := make([]float64, r.FFN)
			for j := range h {
				g := gu[j]
				h[j] = g / (1 + math.Exp(-g)) * gu[r.FFN+j]
			}
			add(t, 2*l+1, matVec(p[5], h, r.Dim))
		}
	}
	losses := make([]float64, n)
	for t := range x {
		logits := matVec(output, r.rms(x[t], norm), r.Vocab)
		var sum float64
		for _, v := range logits {
			sum += math.Exp(v)
		}
		losses[t] = math.Log(sum) - logits[tokens[t+1]]
	}
	return losses
}

// attend gives the attention's output of every position, before its output projection.
func (r *reference) attend(x [][]float64, p [][]float64) [][]float64 {
	width, kv := r.AttnDim(), r.KVDim()
	var q, k, v, out [][]float64
	for t := range x {
		qkv := matVec(p[1], r.rms(x[t], p[0]), r.QKVRows())
		r.rotate(qkv[:width+kv], t)
		q, k, v = append(q, qkv[:width]), append(k, qkv[width:width+kv]), append(v, qkv[width+kv:])
		y := make([]float64, width)
		for h := range r.Heads {
			g := h / (r.Heads / r.KVHeads) * r.HeadDim
			weights := make([]float64, t+1)
			var sum float64
			for s := range weights {
				for e := range r.HeadDim {
					weights[s] += q[t][h*r.HeadDim+e] * k[s][g+e]
				}
				weights[s] = math.Exp(weights[s] / math.Sqrt(float64(r.HeadDim)))
				sum += weights[s]
			}
			for s, w := range weights {
				for e := range r.HeadDim {
					y[h*r.HeadDim+e] += w / sum * v[s][g+e]
				}
			}
		}
		out = append(out, y)
	}
	return out
}

// loss is Σ w·nll / Σ w of a step.
func (r *reference) loss(seqs []Sequence) float64 {
	var sum, total float64
	for i, s := range seqs {
		for t, l := range r.nll(i, s.Tokens) {
			sum += float64(s.Weights[t+1]) * l
			total += float64(s.Weights[t+1])
		}
	}
	return sum / total
}
