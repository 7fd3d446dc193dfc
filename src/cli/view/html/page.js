
'use strict';
// What the page does beyond what HTML does by itself: filter, keys, the graph. It builds elements and sets texts, and never parses HTML.
(() => {
  const NEAR = 2; // how far the neighbours of a change are followed in their picture
  const TALL = 16; // how many of them a column has
  const NAMED = 12; // how many of them a change lists
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const draw = (tag, attributes, text) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // The trees: an item for each module and change, in the order of the page.
  const items = [];
  const byDetails = new Map();
  const reached = new Map(); // by tree: the item that Tab leads to
  for (const tree of all('.tree')) {
    tree.setAttribute('role', 'tree');
    for (const list of all('ul', tree)) list.setAttribute('role', 'group');
    for (const details of all('li > details', tree)) {
      const line = details.parentElement;
      const outer = line.parentElement.closest('details');
      const parent = outer && tree.contains(outer) ? byDetails.get(outer) : null;
      const summary = details.firstElementChild;
      const isModule = line.classList.contains('module');
      const item = {
        details, line, summary, parent, tree, isModule, index: items.length, hidden: false, text: null,
        verb: isModule ? null : line.classList[1], level: parent ? parent.level + 1 : 1,
      };
      line.setAttribute('role', 'none');
      details.setAttribute('role', 'none');
      summary.setAttribute('role', 'treeitem');
      summary.setAttribute('aria-level', item.level);
      summary.setAttribute('aria-expanded', details.open);
      summary.tabIndex = -1;
      byDetails.set(details, item);
      items.push(item);
    }
    tree.addEventListener('toggle', event => {
      const item = byDetails.get(event.target);
      item.summary.setAttribute('aria-expanded', item.details.open);
    }, true);
    tree.addEventListener('keydown', keys);
    tree.addEventListener('focusin', event => {
      const item = itemOf(event.target);
      if (item && event.target === item.summary) rove(item);
    });
    tree.addEventListener('click', event => {
      const summary = event.target.closest('summary');
      const item = summary && itemOf(summary);
      if (item && !item.isModule) select(item);
    });
    const first = items.find(item => item.tree === tree);
    if (first) rove(first);
  }
  const changes = items.filter(item => !item.isModule && item.tree.parentElement.id === 'changes');
  const modules = items.filter(item => item.isModule && item.tree.parentElement.id === 'changes');

  function itemOf(element) { return byDetails.get(element.closest('details')); }
  function isVisible(item) {
    if (item.hidden) return false;
    for (let outer = item.parent; outer; outer = outer.parent) if (outer.hidden || !outer.details.open) return false;
    return true;
  }
  function near(index, step, tree) {
    for (let at = index + step; items[at] && items[at].tree === tree; at += step) if (isVisible(items[at])) return items[at];
    return null;
  }
  function rove(item) {
    const before = reached.get(item.tree);
    if (before) before.summary.tabIndex = -1;
    item.summary.tabIndex = 0;
    reached.set(item.tree, item);
  }
  function focus(item) {
    if (!item) return;
    item.summary.focus({ preventScroll: true });
    item.summary.scrollIntoView({ block: 'nearest' });
  }
  function keys(event) {
    const item = itemOf(event.target);
    if (!item || event.target !== item.summary || event.altKey || event.ctrlKey || event.metaKey) return;
    const ends = { Home: 0, End: items.length - 1 };
    switch (event.key) {
      case 'ArrowDown': focus(near(item.index, 1, item.tree)); break;
      case 'ArrowUp': focus(near(item.index, -1, item.tree)); break;
      case 'ArrowRight':
        if (!item.details.open) { item.details.open = true; if (!item.isModule) select(item); } else if (item.isModule) focus(near(item.index, 1, item.tree));
        break;
      case 'ArrowLeft':
        if (item.details.open) item.details.open = false; else focus(item.parent);
        break;
      case 'Home': case 'End': {
        const own = items.filter(other => other.tree === item.tree && isVisible(other));
        focus(own.at(ends[event.key] ? -1 : 0));
        break;
      }
      default: return;
    }
    event.preventDefault();
  }

  // The filter: words that a change, its address or its diff must all hold, and actions of which it must have one.
  const section = document.getElementById('changes');
  const input = make('input', { type: 'search', placeholder: 'Filter: address, argument, value', 'aria-label': 'Filter changes', spellcheck: 'false' });
  const status = make('span', { role: 'status', class: 'faint' });
  const verbs = new Set();
  let wasOpen = null;
  if (section) {
    const bar = make('div', { class: 'filter', role: 'search' }, input);
    for (const verb of new Set(changes.map(item => item.verb))) {
      const button = make('button', { type: 'button', class: `verb ${verb}`, 'aria-pressed': 'false' }, verb);
      button.addEventListener('click', () => {
        if (!verbs.delete(verb)) verbs.add(verb);
        button.setAttribute('aria-pressed', verbs.has(verb));
        apply();
      });
      bar.append(button);
    }
    const fold = (label, open) => {
      const button = make('button', { type: 'button' }, label);
      button.addEventListener('click', () => { for (const item of items) if (item.tree.parentElement === section && !item.hidden) item.details.open = open; });
      bar.append(button);
    };
    fold('unfold all', true);
    fold('fold all', false);
    const hint = make('p', { class: 'faint' });
    for (const [key, does] of [['/', 'filter'], ['↑ ↓', 'move'], ['→ ←', 'unfold, fold'], ['Enter', 'open'], ['Esc', 'clear']]) {
      hint.append(make('span', {}, make('kbd', {}, key), ` ${does}`));
    }
    hint.append(status);
    bar.append(hint);
    section.insertBefore(bar, section.querySelector('.tree'));
    input.addEventListener('input', apply);
    input.addEventListener('keydown', event => {
      if (event.key !== 'ArrowDown' && event.key !== 'Enter') return;
      event.preventDefault();
      if (event.key === 'ArrowDown') return focus(items.find(item => item.tree.parentElement === section && isVisible(item)));
      const first = changes.find(isVisible);
      if (first) { first.details.open = true; select(first); focus(first); }
    });
    apply();
  }
  function apply() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const isFiltering = words.length > 0 || verbs.size > 0;
    if (isFiltering && !wasOpen) wasOpen = new Map(modules.map(item => [item, item.details.open]));
    const alive = new Set();
    let count = 0;
    for (const item of changes) {
      let fits = !verbs.size || verbs.has(item.verb);
      if (fits && words.length) {
        item.text ??= item.line.textContent.toLowerCase();
        fits = words.every(word => item.text.includes(word));
      }
      if (fits) {
        count += 1;
        for (let outer = item.parent; outer && !alive.has(outer); outer = outer.parent) alive.add(outer);
      }
      if (item.hidden === fits) { item.hidden = !fits; item.line.hidden = !fits; }
    }
    for (const item of modules) {
      item.hidden = !alive.has(item);
      item.line.hidden = item.hidden;
      if (isFiltering) item.details.open = true;
      else if (wasOpen) item.details.open = wasOpen.get(item);
    }
    if (!isFiltering) wasOpen = null;
    status.textContent = isFiltering ? `${count} of ${changes.length} changes` : `${changes.length} ${changes.length === 1 ? 'change' : 'changes'}`;
  }
  function clear() {
    input.value = '';
    verbs.clear();
    for (const button of all('.filter [aria-pressed="true"]')) button.setAttribute('aria-pressed', 'false');
    if (section) apply();
  }

  // The graph: for each resource its address, its change (-1: it stays as it is; -2: it is planned later), what it needs, and its module.
  const data = document.getElementById('data');
  const nodes = data ? JSON.parse(data.textContent).map(([address, change, needs, module]) => ({ address, change, needs, module, neededBy: [] })) : [];
  const nodeOf = new Map();
  nodes.forEach((node, place) => {
    if (node.change >= 0) nodeOf.set(node.change, place);
    for (const need of node.needs) nodes[need].neededBy.push(place);
  });
  const picture = document.querySelector('#graph .picture');
  const caption = document.querySelector('#graph .caption');
  const whole = picture && picture.querySelector('svg');
  const said = caption && caption.textContent;
  let isNear = null; // as the reader chose; else by the size of the graph
  let zoom = 1;
  let chosen = null;
  let lit = [];
  const tools = {};
  if (picture) {
    const bar = make('div', { class: 'tools' });
    const tool = (name, label, act, attributes = {}) => {
      tools[name] = make('button', { type: 'button', ...attributes }, label);
      tools[name].addEventListener('click', act);
      bar.append(tools[name]);
    };
    tool('whole', 'all', () => { isNear = false; show(); }, { 'aria-pressed': 'true' });
    tool('near', 'around the change', () => { isNear = true; show(); }, { 'aria-pressed': 'false', disabled: '' });
    tool('out', '−', () => scale(zoom / 1.25), { 'aria-label': 'smaller' });
    tool('in', '+', () => scale(zoom * 1.25), { 'aria-label': 'larger' });
    tool('fit', 'fit', fit);
    picture.before(bar);
    // The lists below each change lead to the same places without hundreds of stops.
    for (const link of all('a', picture)) link.setAttribute('tabindex', '-1');
    let drag = null;
    picture.addEventListener('pointerdown', event => { if (event.button === 0) drag = [event.clientX + picture.scrollLeft, event.clientY + picture.scrollTop]; });
    picture.addEventListener('dragstart', event => event.preventDefault());
    addEventListener('pointermove', event => { if (drag) picture.scrollTo(drag[0] - event.clientX, drag[1] - event.clientY); });
    addEventListener('pointerup', () => { drag = null; });
    fit();
  }
  function scale(to) {
    const svg = picture.querySelector('svg');
    if (!svg) return;
    zoom = Math.min(4, Math.max(.1, to));
    svg.style.width = `${svg.viewBox.baseVal.width * zoom}px`;
    svg.style.height = `${svg.viewBox.baseVal.height * zoom}px`;
  }
  function fit() {
    const svg = picture.querySelector('svg');
    // Smaller than this nobody can read it; it scrolls then.
    if (svg) scale(Math.min(1, Math.max(.75, (picture.clientWidth - 2) / svg.viewBox.baseVal.width)));
  }
  function reach(start, side) {
    const found = new Set();
    const next = [start];
    while (next.length) for (const other of nodes[next.pop()][side]) if (!found.has(other)) { found.add(other); next.push(other); }
    return found;
  }
  function unlight() {
    for (const [element, name] of lit) element.classList.remove(name);
    lit = [];
  }
  function light(element, name) {
    element.classList.add(name);
    lit.push([element, name]);
  }
  function mark(change, name) {
    const item = byDetails.get(document.getElementById(`c${change}`));
    if (!item) return;
    light(item.line, name);
    for (let outer = item.parent; outer; outer = outer.parent) if (!outer.line.classList.contains(name)) light(outer.line, 'holds');
  }
  function select(item) {
    unlight();
    chosen = item;
    light(item.line, 'selected');
    const node = nodeOf.get(Number(item.details.id.slice(1)));
    if (node === undefined) { show(); return; }
    const up = reach(node, 'needs');
    const down = reach(node, 'neededBy');
    for (const other of up) mark(nodes[other].change, 'upstream');
    for (const other of down) mark(nodes[other].change, 'downstream');
    list(item, node);
    show(node, up, down);
  }
  function list(item, node) {
    const body = item.details.querySelector('.body');
    if (body.querySelector('.neighbours')) return;
    const side = (label, places) => {
      const line = make('p', { class: 'neighbours' }, make('b', {}, label), ' ');
      places.slice(0, NAMED).forEach((place, index) => {
        const { address, change } = nodes[place];
        const name = make('code', {}, address);
        line.append(index ? ', ' : '', change < 0 ? name : make('a', { href: `#c${change}` }, name));
      });
      if (places.length > NAMED) line.append(` and ${places.length - NAMED} more`);
      return line;
    };
    if (nodes[node].needs.length) body.append(side('needs', nodes[node].needs));
    if (nodes[node].neededBy.length) body.append(side('needed by', nodes[node].neededBy));
  }
  function show(node, up = new Set(), down = new Set()) {
    if (!picture) return;
    if (node === undefined && chosen) {
      node = nodeOf.get(Number(chosen.details.id.slice(1)));
      if (node !== undefined) { up = reach(node, 'needs'); down = reach(node, 'neededBy'); }
    }
    const has = node !== undefined && whole && whole.querySelector(`[data-node="${node}"]`);
    const near = node !== undefined && (isNear ?? !(has && whole.querySelectorAll('.node').length <= 80));
    tools.near.disabled = node === undefined;
    tools.near.setAttribute('aria-pressed', near);
    tools.whole.setAttribute('aria-pressed', !near);
    const svg = near ? neighbours(node) : whole;
    if (picture.firstChild !== svg) { picture.replaceChildren(...(svg ? [svg] : [])); fit(); }
    caption.textContent = near ? `${nodes[node].address}: needs ${up.size} in all, needed by ${down.size}` : said;
    if (near) bring(svg.querySelector('.chosen'));
    if (!whole) return;
    for (const element of all('.lit, .chosen', whole)) element.classList.remove('lit', 'chosen');
    whole.classList.toggle('lighting', node !== undefined);
    if (node === undefined) return;
    const kind = whole.querySelector('[data-module]') ? 'module' : 'node';
    const number = place => String(kind === 'module' ? nodes[place].module : place);
    const bright = new Set([node, ...up, ...down].map(number));
    for (const box of all('.node', whole)) {
      if (bright.has(box.dataset[kind])) box.classList.add('lit');
      if (box.dataset[kind] === number(node)) box.classList.add('chosen');
    }
    for (const edge of all('.edges path', whole)) if (bright.has(edge.dataset.from) && bright.has(edge.dataset.to)) edge.classList.add('lit');
    if (!near) bring(whole.querySelector('.chosen'));
  }
  function bring(box) {
    if (!box) return;
    const { x, y, width, height } = box.getBBox();
    picture.scrollTo((x + width / 2) * zoom - picture.clientWidth / 2, (y + height / 2) * zoom - picture.clientHeight / 2);
  }
  // A resource, what it needs to its left, and what needs it to its right.
  function neighbours(node) {
    const columns = new Map([[0, [node]]]);
    const places = new Map();
    const seen = new Set([node]);
    let cut = 0;
    for (const [side, step] of [['needs', -1], ['neededBy', 1]]) {
      for (let distance = 1, last = [node]; distance <= NEAR && last.length; distance += 1) {
        const next = [];
        for (const one of last) for (const other of nodes[one][side]) if (!seen.has(other)) { seen.add(other); next.push(other); }
        next.sort((a, b) => (nodes[a].change < 0) - (nodes[b].change < 0));
        const kept = next.slice(0, TALL);
        cut += next.length - kept.length;
        if (kept.length) columns.set(step * distance, kept);
        last = kept;
      }
    }
    const [width, height, gap, between] = [220, 38, 12, 36];
    const order = [...columns.keys()].sort((a, b) => a - b);
    const tall = Math.max(...[...columns.values()].map(column => column.length));
    const full = [order.length * (width + between) - between + 24, tall * (height + gap) - gap + 24 + (cut ? 22 : 0)];
    order.forEach((key, column) => columns.get(key).forEach((place, row) => {
      const top = 12 + (tall - columns.get(key).length) * (height + gap) / 2;
      places.set(place, [12 + column * (width + between), top + row * (height + gap)]);
    }));
    const svg = draw('svg', { viewBox: `0 0 ${full[0]} ${full[1]}`, role: 'group', 'aria-label': 'neighbours of the change' });
    const edges = svg.appendChild(draw('g', { class: 'edges' }));
    for (const [place, [x, y]] of places) for (const need of nodes[place].needs) {
      const from = places.get(need);
      if (!from || from[0] === x) continue;
      const [left, high, low, middle] = [from[0] + width, from[1] + height / 2, y + height / 2, (from[0] + width + x) / 2];
      edges.append(draw('path', { d: `M${left} ${high}C${middle} ${high} ${middle} ${low} ${x} ${low}` }));
    }
    const clipped = (text, most) => text.length > most ? `${text.slice(0, most - 1)}…` : text;
    for (const [place, [x, y]] of places) {
      const { address, change } = nodes[place];
      const item = change < 0 ? null : byDetails.get(document.getElementById(`c${change}`));
      const still = change === -2 ? 'deferred' : 'unchanged';
      const name = item ? item.summary.querySelector('.name').textContent : address;
      const dot = name.indexOf('.', name.startsWith('data.') ? 5 : 0);
      const box = svg.appendChild(draw(item ? 'a' : 'g', { class: `node ${item ? item.verb : still}${place === node ? ' chosen' : ''}`, 'data-node': place }));
      if (item) { box.setAttribute('href', `#c${change}`); box.setAttribute('tabindex', '-1'); }
      box.append(
        draw('title', {}, address),
        draw('rect', { x, y, width, height, rx: 6 }),
        draw('text', { class: 'top', x: x + 10, y: y + 14 }, clipped(item ? name.slice(0, dot) : still, 32)),
        draw('text', { x: x + 10, y: y + 29 }, clipped(item ? name.slice(dot + 1) : name, 27)),
      );
    }
    if (cut) svg.append(draw('text', { x: 12, y: full[1] - 8, fill: 'currentColor' }, `and ${cut} more`));
    return svg;
  }

  // Links inside the page, from a click or from the address of the page.
  function go(id) {
    const target = id && document.getElementById(id);
    const item = target && byDetails.get(target);
    if (!item) return false;
    if (item.hidden) clear();
    for (let outer = item; outer; outer = outer.parent) outer.details.open = true;
    if (!item.isModule) select(item);
    rove(item);
    item.summary.focus({ preventScroll: true });
    item.line.scrollIntoView({ block: item.line.offsetHeight < innerHeight ? 'center' : 'start' });
    return true;
  }
  document.addEventListener('click', event => {
    const link = event.target.closest('a[href^="#"]');
    if (!link) return;
    const to = link.getAttribute('href');
    if (!go(to.slice(1))) return;
    event.preventDefault();
    history.replaceState(null, '', to);
  });
  addEventListener('hashchange', () => go(location.hash.slice(1)));
  addEventListener('keydown', event => {
    if (event.key === '/' && section && !/^(INPUT|TEXTAREA)$/.test(event.target.tagName)) {
      event.preventDefault();
      input.focus();
      input.select();
    } else if (event.key === 'Escape') {
      const back = event.target === input && changes.find(item => item === chosen) ? chosen : null;
      clear();
      unlight();
      chosen = null;
      show();
      if (event.target === input) focus(back ?? items.find(item => isVisible(item)));
    }
  });
  // Paper cannot be unfolded.
  let folded = [];
  addEventListener('beforeprint', () => {
    folded = all('details:not([open])');
    for (const details of folded) details.open = true;
  });
  addEventListener('afterprint', () => { for (const details of folded) details.open = false; });
  go(location.hash.slice(1));
})();
