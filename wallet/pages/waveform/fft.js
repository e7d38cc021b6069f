/** Discrete Fourier transforms of any length without large prime factors, on pairs of Float64Array. */

const plans = new Map();

/** Transform forth; gives new arrays. */
export function forward(re, im) {
  const plan = planOf(re.length);
  const outRe = new Float64Array(re.length);
  const outIm = new Float64Array(re.length);
  step(plan, re, im, 0, 1, outRe, outIm, 0, re.length, 0);
  return { re: outRe, im: outIm };
}

/** Transform back, with the factor 1 / n. */
export function inverse(re, im) {
  const { re: swappedIm, im: swappedRe } = forward(im, re);
  const scale = 1 / re.length;
  for (let n = 0; n < re.length; n += 1) {
    swappedRe[n] *= scale;
    swappedIm[n] *= scale;
  }
  return { re: swappedRe, im: swappedIm };
}

function planOf(length) {
  let plan = plans.get(length);
  if (!plan) {
    const factors = factorsOf(length);
    const most = Math.max(1, ...factors);
    plan = { length, factors, cos: new Float64Array(length), sin: new Float64Array(length) };
    Object.assign(plan, { partsRe: new Float64Array(most), partsIm: new Float64Array(most) });
    for (let n = 0; n < length; n += 1) {
      plan.cos[n] = Math.cos((2 * Math.PI * n) / length);
      plan.sin[n] = -Math.sin((2 * Math.PI * n) / length);
    }
    plans.set(length, plan);
  }
  return plan;
}

function factorsOf(length) {
  const factors = [];
  let rest = length;
  for (const factor of [4, 2, 3, 5, 7]) {
    while (rest % factor === 0) {
      factors.push(factor);
      rest /= factor;
    }
  }
  for (let factor = 11; rest > 1; factor += 2) {
    while (rest % factor === 0) {
      factors.push(factor);
      rest /= factor;
    }
  }
  return factors;
}

/** Decimation in time: transforms of every factor-th sample, joined by butterflies. */
function step(plan, re, im, from, stride, outRe, outIm, to, length, level) {
  const factor = plan.factors[level] ?? 1;
  const part = length / factor;
  for (let p = 0; p < factor; p += 1) {
    if (part === 1) {
      outRe[to + p] = re[from + p * stride];
      outIm[to + p] = im[from + p * stride];
    } else {
      step(plan, re, im, from + p * stride, stride * factor, outRe, outIm, to + p * part, part, level + 1);
    }
  }
  if (factor === 4) joinFour(plan, outRe, outIm, to, part);
  else if (factor > 1) join(plan, outRe, outIm, to, factor, part);
}

function joinFour({ length, cos, sin }, re, im, to, part) {
  const turn = length / (4 * part);
  for (let k = 0; k < part; k += 1) {
    const a = to + k;
    const b = a + part;
    const c = b + part;
    const d = c + part;
    const w = turn * k;
    const bRe = re[b] * cos[w] - im[b] * sin[w];
    const bIm = re[b] * sin[w] + im[b] * cos[w];
    const cRe = re[c] * cos[2 * w] - im[c] * sin[2 * w];
    const cIm = re[c] * sin[2 * w] + im[c] * cos[2 * w];
    const dRe = re[d] * cos[3 * w] - im[d] * sin[3 * w];
    const dIm = re[d] * sin[3 * w] + im[d] * cos[3 * w];
    const evenRe = re[a] + cRe;
    const evenIm = im[a] + cIm;
    const oddRe = re[a] - cRe;
    const oddIm = im[a] - cIm;
    re[a] = evenRe + (bRe + dRe);
    im[a] = evenIm + (bIm + dIm);
    re[b] = oddRe + (bIm - dIm);
    im[b] = oddIm - (bRe - dRe);
    re[c] = evenRe - (bRe + dRe);
    im[c] = evenIm - (bIm + dIm);
    re[d] = oddRe - (bIm - dIm);
    im[d] = oddIm + (bRe - dRe);
  }
}

function join({ length, cos, sin, partsRe, partsIm }, re, im, to, factor, part) {
  const turn = length / (factor * part);
  for (let k = 0; k < part; k += 1) {
    for (let p = 0; p < factor; p += 1) {
      const at = to + p * part + k;
      const c = cos[turn * p * k];
      const s = sin[turn * p * k];
      partsRe[p] = re[at] * c - im[at] * s;
      partsIm[p] = re[at] * s + im[at] * c;
    }
    for (let q = 0; q < factor; q += 1) {
      let sumRe = 0;
      let sumIm = 0;
      for (let p = 0; p < factor; p += 1) {
        const place = ((p * q) % factor) * (length / factor);
        sumRe += partsRe[p] * cos[place] - partsIm[p] * sin[place];
        sumIm += partsRe[p] * sin[place] + partsIm[p] * cos[place];
      }
      re[to + q * part + k] = sumRe;
      im[to + q * part + k] = sumIm;
    }
  }
}
