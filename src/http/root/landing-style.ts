/** The page's only style sheet; its hash stands in the content security policy. Contrasts are at least 7:1 (WCAG AAA). */
export const LANDING_STYLE = `
:root {
  color-scheme: light dark;
  --text: light-dark(#1b1f24, #e7e9ec);
  --soft: light-dark(#4a525c, #b3bac3);
  --ground: light-dark(#fbfaf8, #15181c);
  --panel: light-dark(#f1efeb, #1f2429);
  --line: light-dark(#dcd8d0, #343b43);
  --accent: light-dark(#0b5560, #7fd4df);
}
* { box-sizing: border-box; }
body {
  margin: 0;
  color: var(--text);
  background: var(--ground);
  font: 1rem/1.6 system-ui, sans-serif;
}
main { max-width: 50rem; margin: 0 auto; padding: 3rem 1.25rem 4rem; }
h1 { margin: 0; font-size: 2.25rem; line-height: 1.2; letter-spacing: -0.02em; }
header p { margin: 0.5rem 0 0; font-size: 1.125rem; color: var(--soft); }
h2 { margin: 2.5rem 0 0.75rem; font-size: 1.25rem; }
h3 { margin: 1.75rem 0 0; font-size: 1rem; }
p { margin: 0.5rem 0; }
.hint { margin: 0 0 0.5rem; color: var(--soft); font-size: 0.875rem; }
dl {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr));
  gap: 1rem;
  margin: 2rem 0 0;
  padding: 1rem 1.25rem;
  border: 1px solid var(--line);
  border-radius: 0.5rem;
}
dt { color: var(--soft); font-size: 0.875rem; }
dd { margin: 0; overflow-wrap: anywhere; }
code, pre { font: 0.875rem/1.6 ui-monospace, "Cascadia Code", Menlo, Consolas, monospace; }
pre {
  margin: 0;
  padding: 1rem 1.25rem;
  overflow-x: auto;
  background: var(--panel);
  border: 1px solid var(--line);
  border-radius: 0.5rem;
}
.models { display: flex; flex-wrap: wrap; gap: 0.5rem; margin: 0.5rem 0; padding: 0; list-style: none; }
.models li { padding: 0.125rem 0.625rem; background: var(--panel); border: 1px solid var(--line); border-radius: 1rem; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
summary { cursor: pointer; }
nav ul { margin: 2.5rem 0 0; padding: 1.25rem 0 0 1.25rem; border-top: 1px solid var(--line); }
`
