// Keeps the page's view of the terminal alive, and says so when it is not.

const SILENCE_MS = 25000;
const AGAIN_MS = 1500;

// Calls `show` with every view and `figures` with what sections show in between; the result lets go of the line while
// nobody looks at the page.
export function follow(address, show, refused = () => {}, figures = () => {}) {
  const banner = document.getElementById('lost');
  let source = null;
  let silence = 0;

  function heard() {
    clearTimeout(silence);
    silence = setTimeout(again, SILENCE_MS);
    banner.hidden = true;
    document.body.classList.remove('stale');
  }

  function again() {
    source?.close();
    lose();
    connect();
  }

  function lose() {
    banner.hidden = false;
    document.body.classList.add('stale');
  }

  function connect() {
    source = new EventSource(address);
    source.addEventListener('view', (event) => {
      heard();
      show(JSON.parse(event.data));
    });
    source.addEventListener('beat', heard);
    source.addEventListener('figures', (event) => {
      heard();
      figures(JSON.parse(event.data));
    });
    source.addEventListener('error', () => {
      lose();
      if (source.readyState === EventSource.CLOSED) {
        refused();
        setTimeout(again, AGAIN_MS);
      }
    });
  }

  function rest() {
    clearTimeout(silence);
    source?.close();
    if (!document.hidden) connect();
  }

  connect();
  return rest;
}

export function element(tag, className = '', text = '') {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

export function picture(name) {
  const space = 'http://www.w3.org/2000/svg';
  const made = document.createElementNS(space, 'svg');
  made.setAttribute('viewBox', '0 0 48 48');
  made.setAttribute('aria-hidden', 'true');
  made.classList.add('picture', `picture-${name}`);
  for (const drawing of PICTURES[name]) {
    const path = document.createElementNS(space, 'path');
    path.setAttribute('d', drawing);
    path.setAttribute('pathLength', '1');
    made.append(path);
  }
  return made;
}

const PICTURES = {
  paid: ['M24 4a20 20 0 1 1 0 40a20 20 0 1 1 0-40', 'M14.500 24.500l7 7l12.500-14'],
  declined: ['M24 4a20 20 0 1 1 0 40a20 20 0 1 1 0-40', 'M16.500 16.500l15 15', 'M31.500 16.500l-15 15'],
  unknown: ['M24 4a20 20 0 1 1 0 40a20 20 0 1 1 0-40', 'M17.500 18.500a6.500 6.500 0 1 1 9.500 5.800c-2 1.100-3 2.200-3 4.700', 'M24 34.500v.1'],
  cancelled: ['M24 4a20 20 0 1 1 0 40a20 20 0 1 1 0-40', 'M14 24h20'],
  unpaid: ['M24 4a20 20 0 1 1 0 40a20 20 0 1 1 0-40', 'M24 13v12l7 5'],
  cancelling: ['M24 4a20 20 0 1 1 0 40a20 20 0 1 1 0-40', 'M16 24h16', 'M22 17l-7 7l7 7'],
  authorising: ['M24 4a20 20 0 1 1-19 13.700'],
  waiting: ['M16 4h16a3 3 0 0 1 3 3v34a3 3 0 0 1-3 3h-16a3 3 0 0 1-3-3v-34a3 3 0 0 1 3-3', 'M19.500 27v-4a4.500 4.500 0 0 1 9 0v4', 'M17.500 27h13v8h-13z'],
  gathering: ['M4 14v-7a3 3 0 0 1 3-3h7', 'M34 4h7a3 3 0 0 1 3 3v7', 'M44 34v7a3 3 0 0 1-3 3h-7', 'M14 44h-7a3 3 0 0 1-3-3v-7', 'M12 24h24'],
  closed: ['M24 4l21 38h-42z', 'M24 18v11', 'M24 35.500v.1'],
  scan: ['M14 5h20a3 3 0 0 1 3 3v32a3 3 0 0 1-3 3h-20a3 3 0 0 1-3-3v-32a3 3 0 0 1 3-3', 'M17 15h5v5h-5z', 'M26 15h5v5h-5z', 'M17 24h5v5h-5z', 'M26 24h5v5h-5z', 'M22 38h4'],
  show: ['M4 14v-7a3 3 0 0 1 3-3h7', 'M34 4h7a3 3 0 0 1 3 3v7', 'M44 34v7a3 3 0 0 1-3 3h-7', 'M14 44h-7a3 3 0 0 1-3-3v-7', 'M14 14v20', 'M20 14v20', 'M26 14v20', 'M34 14v20'],
  sound: ['M6 20v8', 'M14 13v22', 'M22 6v36', 'M30 15v18', 'M38 20v8'],
};
