// Draws what the camera would have the shopper do: its view, the code in it, and a sign of what to change.

const SPACE = 'http://www.w3.org/2000/svg';
const WIDTH = 160;
const HEIGHT = 100;
const SMALLEST = 14;

// Around the middle of the code; r is half its side.
const SIGNS = {
  closer: (r) => corners(r + 6, 9).concat(arrows(r + 9, 1)),
  farther: (r) => corners(r - 6, 9).concat(arrows(r - 9, -1)),
  tilt: (r) => [`M${-r} ${r + 7}a${r} 5 0 0 0 ${2 * r} 0`, `M${r - 6} ${r + 12}l6 -5l3 7`],
  'too-bright': (r) => rays(r + 5, 7),
  'too-dark': (r) => [`M4 ${-r + 2}a${r - 4} ${r - 4} 0 1 0 ${r - 6} ${r + 2}a${r - 8} ${r - 8} 0 0 1 ${6 - r} ${-r - 2}`],
  'hold-still': (r) => waves(r),
  'not-read': (r) => [`M${-r + 2} ${r - 2}l${2 * r - 4} ${4 - 2 * r}`],
};

export function drawGuide(place, guidance) {
  const drawn = make('svg', {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, 'aria-hidden': 'true', class: `guide guide-${guidance.hint}`});
  drawn.append(make('rect', {class: 'view', x: 2, y: 2, width: WIDTH - 4, height: HEIGHT - 4, rx: 10}));
  const spot = spotOf(guidance.places[0]);
  const code = make('g', {transform: `translate(${spot.x} ${spot.y})`});
  const r = spot.side / 2;
  code.append(make('rect', {class: 'code', x: -r, y: -r, width: 2 * r, height: 2 * r, rx: 3}));
  for (const [x, y] of [[-1, -1], [1, -1], [-1, 1]]) {
    code.append(make('rect', {class: 'eye', x: x * r * 0.55 - r * 0.22, y: y * r * 0.55 - r * 0.22, width: r * 0.44, height: r * 0.44}));
  }
  const sign = make('g', {class: 'sign'});
  for (const path of SIGNS[guidance.hint]?.(r) ?? []) sign.append(make('path', {d: path}));
  code.append(sign);
  drawn.append(code);
  place.replaceChildren(drawn);
}

// The camera looks at the shopper, so its left is the shopper's right. Without a place it stands in the middle.
function spotOf(place) {
  if (!place) return {x: WIDTH / 2, y: HEIGHT / 2, side: 40};
  const [left, top, right, bottom] = place;
  const side = Math.min(60, Math.max(SMALLEST, Math.max((right - left) * WIDTH, (bottom - top) * HEIGHT)));
  const inside = (middle, whole) => Math.min(whole - side / 2 - 6, Math.max(side / 2 + 6, middle * whole));
  return {x: inside(1 - (left + right) / 2, WIDTH), y: inside((top + bottom) / 2, HEIGHT), side};
}

function corners(r, long) {
  return [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([x, y]) => `M${x * r} ${y * (r - long)}V${y * r}H${x * (r - long)}`);
}

function arrows(r, out) {
  return [[-1, 0], [1, 0]].map(([x]) => `M${x * r} -5l${x * out * 5} 5l${-x * out * 5} 5`);
}

function rays(r, long) {
  return Array.from({length: 8}, (_, turn) => {
    const angle = turn * Math.PI / 4;
    const [x, y] = [Math.cos(angle), Math.sin(angle)];
    return `M${(x * r * 1.2).toFixed(1)} ${(y * r * 1.2).toFixed(1)}L${(x * (r * 1.2 + long)).toFixed(1)} ${(y * (r * 1.2 + long)).toFixed(1)}`;
  });
}

function waves(r) {
  return [-1, 1].flatMap((side) => [6, 12].map((far) => `M${side * (r + far)} ${-r * 0.7}q${side * 4} ${r * 0.7} 0 ${r * 1.4}`));
}

function make(tag, attributes) {
  const made = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
