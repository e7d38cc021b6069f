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
    plan = { length, factors: factorsOf(length), cos: new Float64Array(length), sin: new Float64Array(length) };
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
  if (length === 1) {
    outRe[to] = re[from];
    outIm[to] = im[from];
    return;
  }
  const factor = plan.factors[level];
  const part = length / factor;
  for (let p = 0; p < factor; p += 1) {
    step(plan, re, im, from + p * stride, stride * factor, outRe, outIm, to + p * part, part, level + 1);
  }
  join(plan, outRe, outIm, to, factor, part);
}

function join(plan, re, im, to, factor, part) {
  const turn = plan.length / (factor * part);
  const partsRe = new Float64Array(factor);
  const partsIm = new Float64Array(factor);
  for (let k = 0; k < part; k += 1) {
    for (let p = 0; p < factor; p += 1) {
      const at = to + p * part + k;
      const c = plan.cos[turn * p * k];
      const s = plan.sin[turn * p * k];
      partsRe[p] = re[at] * c - im[at] * s;
      partsIm[p] = re[at] * s + im[at] * c;
    }
    for (let q = 0; q < factor; q += 1) {
      let sumRe = 0;
      let sumIm = 0;
      for (let p = 0; p < factor; p += 1) {
        const place = ((p * q) % factor) * (plan.length / factor);
        sumRe += partsRe[p] * plan.cos[place] - partsIm[p] * plan.sin[place];
        sumIm += partsRe[p] * plan.sin[place] + partsIm[p] * plan.cos[place];
      }
      re[to + q * part + k] = sumRe;
      im[to + q * part + k] = sumIm;
    }
  }
}
