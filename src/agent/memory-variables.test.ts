import { expect, test } from 'vitest'
import { fillVariables } from './memory-variables.ts'

test.each([
  ['Name: {{name}}.', 'Name: Ada.'],
  ['{{ name }}{{name}}', 'AdaAda'],
  ['{{nobody}} stays', '{{nobody}} stays'],
  ['{name} and {{name', '{name} and {{name'],
  ['{{constructor}} {{__proto__}}', '{{constructor}} {{__proto__}}'],
  ['{{loop}}', '{{loop}} $& {{name}}'],
])('%s → %s', (text, filled) => {
  expect(fillVariables(text, { name: 'Ada', loop: '{{loop}} $& {{name}}' })).toBe(filled)
})
