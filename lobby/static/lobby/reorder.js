// Rows of the list of tables are dragged by their handles. The drop is a form like that of the buttons, sent by the
// same page: the server says where the table is now. Without this file the buttons remain.
'use strict';

document.addEventListener('DOMContentLoaded', () => {
  const form = document.getElementById('changelist-form');
  const gripOf = row => row.querySelector('.grip');
  const rows = form ? [...form.querySelectorAll('tbody tr')].filter(gripOf) : [];
  form?.classList.add('sortable');
  let dragged = null;

  function unmark() {
    for (const row of rows) row.classList.remove('drop-before', 'drop-after');
  }

  function isAbove(event, row) {
    const box = row.getBoundingClientRect();
    return event.clientY < box.top + box.height / 2;
  }

  // After which table the dragged one comes when it is dropped above or below a row.
  function placeAt(row, above) {
    const {table, previous} = gripOf(row).dataset;
    if (!above) return table;
    const own = gripOf(dragged).dataset;
    return previous === own.table ? own.previous : previous;
  }

  function send(after) {
    const field = document.createElement('input');
    Object.assign(field, {type: 'hidden', name: 'after', value: after});
    form.append(field);
    form.action = gripOf(dragged).dataset.move;
    form.submit();
  }

  for (const row of rows) {
    const grip = gripOf(row);
    grip.draggable = true;
    grip.addEventListener('dragstart', event => {
      dragged = row;
      row.classList.add('dragged');
      event.dataTransfer.effectAllowed = 'move';
      event.dataTransfer.setData('text/plain', grip.dataset.table);
      event.dataTransfer.setDragImage(row, 0, 0);
    });
    grip.addEventListener('dragend', () => {
      row.classList.remove('dragged');
      unmark();
      dragged = null;
    });
    row.addEventListener('dragover', event => {
      if (!dragged || row === dragged) return;
      event.preventDefault();
      unmark();
      row.classList.add(isAbove(event, row) ? 'drop-before' : 'drop-after');
    });
    row.addEventListener('drop', event => {
      if (!dragged || row === dragged) return;
      event.preventDefault();
      send(placeAt(row, isAbove(event, row)));
    });
  }
});
