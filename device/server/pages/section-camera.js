// What the cameras see, a few times a second, with the decoder's marks. Codes in the picture are made coarse before.

import {element} from './live.js';
import {say} from './text.js';

export const title = 'camera.title';

const SPACE = 'http://www.w3.org/2000/svg';
const TALL = 1.4;

export function make(body) {
  const eyes = new Map();
  return (figures) => {
    for (const camera of figures.cameras) {
      if (!eyes.has(camera.name)) eyes.set(camera.name, eye(body, camera.name));
      eyes.get(camera.name)(camera);
    }
  };
}

function eye(body, name) {
  const made = element('div', 'eye');
  const head = element('h3', '', name);
  const pace = element('span', 'rate');
  const frame = element('div', 'picture');
  const image = document.createElement('img');
  const marks = document.createElementNS(SPACE, 'svg');
  const nothing = element('p', 'empty-list');
  const why = element('ul', 'why');
  const facts = element('dl');
  head.append(pace);
  frame.append(image, marks);
  made.append(head, frame, nothing, why, facts);
  body.append(made);
  const load = loader(image, name);
  return ({state, view}) => {
    nothing.hidden = Boolean(view);
    nothing.textContent = say(state === 'working' ? 'camera.waiting' : `health.${state}`);
    frame.hidden = facts.hidden = why.hidden = !view;
    pace.textContent = view?.frames_per_second ? say('camera.pace', {count: view.frames_per_second}) : '';
    if (!view) return;
    load(view.picture);
    image.alt = say('camera.alt');
    drawMarks(marks, view);
    why.replaceChildren(...view.marks.map(reason));
    facts.replaceChildren(...table(view).flatMap(([term, fact]) => [element('dt', '', term), element('dd', '', fact)]));
  };
}

// The next picture is asked for when the last one is there: a slow line gets fewer.
function loader(image, name) {
  let shown = 0;
  let loading = false;
  const done = () => { loading = false; };
  image.addEventListener('load', done);
  image.addEventListener('error', done);
  return (picture) => {
    if (loading || picture === shown) return;
    loading = true;
    shown = picture;
    image.src = `/technician/camera/${encodeURIComponent(name)}.jpg?${picture}`;
  };
}

function drawMarks(drawing, {width, height, marks}) {
  drawing.setAttribute('viewBox', `0 0 ${width} ${height}`);
  const size = height / 17;
  drawing.replaceChildren(...marks.flatMap((mark) => {
    const [left, top, right, bottom] = mark.place;
    const kind = mark.symbology ? 'read' : 'unread';
    const box = shape('rect', {x: left * width, y: top * height, width: (right - left) * width, height: (bottom - top) * height, class: kind, 'stroke-width': size / 7});
    const above = top * height > size * TALL;
    const text = shape('text', {x: left * width, y: above ? top * height - size * 0.4 : bottom * height + size, 'font-size': size, class: kind});
    text.textContent = mark.symbology ? `${mark.symbology} · ${mark.length}` : mark.hint ? say(`why.${mark.hint}`) : '…';
    return [box, text];
  }));
}

function reason(mark) {
  if (mark.symbology) return element('li', 'read', say('camera.read', {kind: mark.symbology, length: mark.length}));
  const why = mark.hint ? say(`why.${mark.hint}`) : say('camera.looking');
  return element('li', 'unread', `${why} · ${say('camera.looks', {count: mark.looks, ms: mark.spent_ms})}`);
}

function table(view) {
  const percent = (part) => `${(100 * part).toFixed(1)} %`;
  return [
    [say('camera.size'), `${view.width} × ${view.height}`],
    [say('camera.brightness'), `${view.brightness} / 255`],
    [say('camera.burnt-out'), percent(view.burnt_out)],
    [say('camera.dark'), percent(view.dark)],
    [say('camera.cost'), `${view.picture_ms} ms`],
  ];
}

function shape(tag, attributes) {
  const made = document.createElementNS(SPACE, tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
