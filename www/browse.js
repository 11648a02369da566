/* Leaves those rows whose names have what was typed. Without it, the form asks the server. */
const field = document.getElementById("filter");
const rows = Array.from(document.querySelectorAll("#list tr"));
const names = rows.map((row) => row.querySelector("bdi").textContent.toLowerCase());
const none = document.querySelector(".none");
field.addEventListener("input", () => {
    const text = field.value.toLowerCase();
    let n = 0;
    rows.forEach((row, i) => {
        row.hidden = !names[i].includes(text);
        n += !row.hidden;
    });
    none.hidden = n > 0;
});
