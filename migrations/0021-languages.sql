-- Words of texts in their own language (docs/decisions/0013-words-in-every-language.md). `search` had the stems of English, whatever the language. It still
-- has those of English texts, so rows from before are found as they were.

-- Those in Latin letters, but for English.
create function perdure_languages() returns regconfig[] language sql immutable parallel safe as $$
  select array['pg_catalog.german', 'pg_catalog.french', 'pg_catalog.spanish', 'pg_catalog.italian', 'pg_catalog.portuguese',
    'pg_catalog.dutch', 'pg_catalog.swedish', 'pg_catalog.danish', 'pg_catalog.norwegian', 'pg_catalog.finnish', 'pg_catalog.turkish', 'pg_catalog.hungarian',
    'pg_catalog.romanian', 'pg_catalog.catalan', 'pg_catalog.indonesian', 'pg_catalog.lithuanian', 'pg_catalog.irish', 'pg_catalog.basque', 'pg_catalog.serbian']::regconfig[]
$$;

-- The stems of one word in each of them, but for those in which it means nothing.
create function perdure_stems(text) returns text[] language sql immutable parallel safe as $$
  select pg_catalog.ts_lexize('pg_catalog.german_stem', $1) || pg_catalog.ts_lexize('pg_catalog.french_stem', $1) || pg_catalog.ts_lexize('pg_catalog.spanish_stem', $1)
    || pg_catalog.ts_lexize('pg_catalog.italian_stem', $1) || pg_catalog.ts_lexize('pg_catalog.portuguese_stem', $1) || pg_catalog.ts_lexize('pg_catalog.dutch_stem', $1)
    || pg_catalog.ts_lexize('pg_catalog.swedish_stem', $1) || pg_catalog.ts_lexize('pg_catalog.danish_stem', $1) || pg_catalog.ts_lexize('pg_catalog.norwegian_stem', $1)
    || pg_catalog.ts_lexize('pg_catalog.finnish_stem', $1) || pg_catalog.ts_lexize('pg_catalog.turkish_stem', $1) || pg_catalog.ts_lexize('pg_catalog.hungarian_stem', $1)
    || pg_catalog.ts_lexize('pg_catalog.romanian_stem', $1) || pg_catalog.ts_lexize('pg_catalog.catalan_stem', $1) || pg_catalog.ts_lexize('pg_catalog.indonesian_stem', $1)
    || pg_catalog.ts_lexize('pg_catalog.lithuanian_stem', $1) || pg_catalog.ts_lexize('pg_catalog.irish_stem', $1) || pg_catalog.ts_lexize('pg_catalog.basque_stem', $1)
    || pg_catalog.ts_lexize('pg_catalog.serbian_stem', $1)
$$;

-- Those of the other letters that a text has. Ukrainian and others in Cyrillic letters go by the rules of Russian.
create function perdure_languages_of_letters(text) returns regconfig[] language sql immutable parallel safe as $$
  select pg_catalog.array_remove(array[
    case when $1 ~ '[\u0400-\u052F]' then 'pg_catalog.russian' end, case when $1 ~ '[\u0370-\u03FF\u1F00-\u1FFF]' then 'pg_catalog.greek' end,
    case when $1 ~ '[\u0600-\u06FF]' then 'pg_catalog.arabic' end, case when $1 ~ '[\u0900-\u097F]' then 'pg_catalog.hindi' end,
    case when $1 ~ '[\u0530-\u058F]' then 'pg_catalog.armenian' end, case when $1 ~ '[\u0B80-\u0BFF]' then 'pg_catalog.tamil' end]::regconfig[], null)
$$;

create function perdure_other_letters() returns text language sql immutable parallel safe as $$
  select '[\u0370-\u058F\u0600-\u06FF\u0900-\u097F\u0B80-\u0BFF\u1F00-\u1FFF]'
$$;

-- Letters of what is written without blanks between words (Thai, Lao, Burmese, Khmer, Japanese, Chinese), and of Korean, whose particles are part of the word.
create function perdure_unspaced() returns text language sql immutable parallel safe as $$
  select '[\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF\u3005\u3006\u3040-\u30FF\u3400-\u4DBF\u4E00-\u9FFF\uA960-\uA97F\uAC00-\uD7AF\uF900-\uFAFF\U00020000-\U0003FFFF]'
$$;

-- What names of things have in them: "report_v2.pdf", "getUserName", "ABC-4711", "5kg".
create function perdure_identifier() returns text language sql immutable parallel safe as $$
  select '[[:alnum:]][./@\\:=&#][[:alnum:]]|[[:alpha:]][-_]?[0-9]|[0-9][-_]?[[:alpha:]]|[[:lower:]][[:upper:]]'
$$;

-- Letters without their marks, so that "ecole" finds "école".
create function perdure_fold(text) returns text language sql immutable parallel safe as $$
  select case when pg_catalog.octet_length($1) = pg_catalog.length($1) then $1
    else pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(pg_catalog.regexp_replace(pg_catalog.normalize($1, 'NFD'), '[\u0300-\u036F]+', '', 'g'),
      'ø', 'o'), 'ı', 'i'), 'ł', 'l') end
$$;

-- One form of each letter; of those of Romanian the one that the stemmer of PostgreSQL 15 knows.
create function perdure_compose(text) returns text language sql immutable parallel safe as $$
  select case when composed.said ~ '[șțȘȚ]' then pg_catalog.translate(composed.said, 'șțȘȚ', 'şţŞŢ') else composed.said end
  from (select pg_catalog.normalize($1, 'NFKC')) as composed (said)
$$;

-- The language of a text by the commonest words of each in its beginning, and by letters that few have; null where they do not tell.
create function perdure_language(text) returns regconfig language plpgsql immutable parallel safe strict as $$
declare
  beginning constant text := pg_catalog.left($1, 1500);
  words tsvector;
  total integer;
  english integer;
  languages constant regconfig[] := perdure_languages();
  hits integer[];
  marked text;
  best integer := 1;
begin
  -- mostly letters of two bytes and more
  if pg_catalog.octet_length(beginning) > 1.5 * pg_catalog.length(beginning) then
    return coalesce((perdure_languages_of_letters(beginning))[1], 'pg_catalog.english');
  end if;
  words := pg_catalog.to_tsvector('pg_catalog.simple', beginning);
  total := pg_catalog.length(words);
  english := total - pg_catalog.length(pg_catalog.ts_delete(words, '{a,the,and,of,to,is,that,it,for,with,are,this,be,have,not,but,you,they,from,was,were,i,my,your,we,our,his,her,she,he,me,their,what,which,who,how,when,where,why,will,would,could,can,do,did,does,has,had,been,about,if,as,at,by,or,so,in,on,an,there,just,than,then,them,its,some,all,get,got,know,think,like,really,good,great,love,thanks,wow,yes,new,time,too,very,into,after,because,let,please,more,most,much,many,other,another,only,out,up,down,now,here,these,those,need,needs,want,wants,make,makes,made,take,takes,go,goes,going,went,see,saw,say,says,said,use,uses,used,work,works,day,days,year,years,week,people,thing,things,way,well,back,first,last,next,every,each,any,both,again,still,should,never,always,often,today,tomorrow,yesterday,before,with,without,during,between,under,since,while,until,through,against,such,own,same,few,little,old,long,right,look,come,comes,came,help,everything,something,nothing,someone,am,being,having,doing,don,ve,ll}'::text[]));
  if english >= 3 and english * 4 >= total then
    return 'pg_catalog.english'::regconfig;
  end if;
  hits := array[
    total - pg_catalog.length(pg_catalog.ts_delete(words, '{der,die,das,und,ist,nicht,ein,eine,einen,einem,einer,den,dem,des,mit,von,zu,zum,zur,im,in,auf,für,ich,du,er,sie,es,wir,ihr,mein,meine,dein,sein,seine,ihre,unser,war,waren,hat,habe,haben,hatte,wird,werden,wurde,kann,auch,aber,oder,wie,was,wo,wer,wann,warum,welche,nach,bei,aus,um,am,als,wenn,dass,sich,noch,nur,sind,mich,mir,bin,über,unter,vor,durch,man,schon,sehr}'::text[])),
    total - pg_catalog.length(pg_catalog.ts_delete(words, '{le,la,les,un,une,des,du,de,et,est,sont,était,dans,en,au,aux,pour,par,sur,avec,sans,que,qui,quoi,quel,quelle,où,quand,comment,pourquoi,ce,cette,ces,il,elle,ils,elles,je,tu,nous,vous,on,mon,ma,mes,ton,son,sa,ses,leur,leurs,notre,votre,ne,pas,plus,mais,ou,donc,se,si,j,l,d,n,c,qu,ai,a,ont,avait,été,être,très,aussi,chez,y}'::text[])),
    total - pg_catalog.length(pg_catalog.ts_delete(words, '{el,la,los,las,un,una,unos,de,del,y,e,en,es,son,era,está,están,fue,que,qué,quién,cómo,cuándo,dónde,cuál,por,para,con,sin,se,su,sus,mi,mis,tu,yo,él,ella,ellos,nosotros,no,sí,lo,le,les,me,te,al,como,más,pero,o,muy,también,ya,hay,este,esta,ese,esa,ha,han,he,hace,cuando,donde,porque,sobre,entre,desde}'::text[])),
    total - pg_catalog.length(pg_catalog.ts_delete(words, '{il,lo,la,i,gli,le,un,uno,una,di,del,della,dei,delle,dello,degli,e,è,ed,sono,era,in,nel,nella,nei,a,al,alla,ai,alle,da,dal,dalla,con,su,sul,sulla,per,che,chi,cosa,come,quando,dove,perché,quale,non,si,se,mi,ti,ci,vi,io,tu,lui,lei,noi,loro,mio,mia,suo,sua,ha,ho,hanno,più,ma,o,anche,questo,questa,molto,l,d,c,stato,fra}'::text[])),
    total - pg_catalog.length(pg_catalog.ts_delete(words, '{o,a,os,as,um,uma,de,do,da,dos,das,e,é,em,no,na,nos,nas,são,era,foi,está,estão,que,quem,quando,onde,como,qual,por,para,com,sem,se,seu,sua,seus,meu,minha,eu,ele,ela,eles,nós,você,não,sim,mais,mas,ou,muito,também,já,ao,à,pelo,pela,num,numa,este,esta,isso,isto,tem,ter,há,até,sobre,entre,porque,me,te,lhe}'::text[])),
    total - pg_catalog.length(pg_catalog.ts_delete(words, '{de,het,een,en,van,ik,je,jij,hij,zij,ze,wij,we,jullie,is,zijn,was,waren,heeft,hebben,heb,had,niet,geen,met,voor,op,in,aan,bij,uit,naar,om,te,dat,die,dit,deze,er,maar,of,ook,als,dan,nog,wel,wat,wie,waar,wanneer,waarom,hoe,welke,mijn,jouw,haar,hun,ons,onze,wordt,worden,kan,door,over,tot,tegen,zich,al,zo,mij,me,hem,u}'::text[])),
    total - pg_catalog.length(pg_catalog.ts_delete(words, '{och,det,den,att,en,ett,i,på,är,var,som,för,med,av,till,inte,jag,du,han,hon,vi,ni,de,dem,om,har,hade,men,eller,så,sig,sin,sitt,sina,min,mitt,mina,din,vad,vem,när,hur,varför,vilken,vilka,från,vid,kan,ska,skulle,blir,blev,mycket,också,efter,under,över,utan,mot,där,här,nu,då,mig,dig,oss,denna,detta}'::text[])),
    total - pg_catalog.length(pg_catalog.ts_delete(words, '{og,det,den,at,en,et,i,på,er,var,som,for,med,af,til,ikke,jeg,du,han,hun,vi,de,dem,om,har,havde,men,eller,så,sig,sin,sit,sine,min,mit,mine,din,hvad,hvem,hvor,hvornår,hvordan,hvorfor,hvilken,hvilke,fra,ved,kan,skal,skulle,bliver,blev,meget,også,efter,under,over,uden,mod,der,her,nu,da,mig,dig,os,denne,dette,være,kun}'::text[])),
    total - pg_catalog.length(pg_catalog.ts_delete(words, '{og,det,den,å,en,ei,et,i,på,er,var,som,for,med,av,til,ikke,jeg,du,han,hun,vi,de,dem,om,har,hadde,men,eller,så,seg,sin,sitt,sine,min,mitt,mine,din,hva,hvem,hvor,når,hvordan,hvorfor,hvilken,hvilke,fra,ved,kan,skal,skulle,blir,ble,meget,også,etter,under,over,uten,mot,der,her,nå,da,meg,deg,oss,denne,dette,være,bare,mye}'::text[])),
    total - pg_catalog.length(pg_catalog.ts_delete(words, '{ja,on,ei,se,hän,että,oli,ovat,mutta,myös,kun,niin,kuin,joka,jotka,mikä,mitä,kuka,missä,milloin,miten,miksi,minä,sinä,me,te,he,minun,sinun,hänen,meidän,tämä,tämän,sen,ne,nyt,vain,jo,tai,jos,olen,ole,olla,ollut,olivat,en,eivät,minulla,kanssa,sitten,vielä,kaikki,hyvin,ennen,jälkeen,mukaan,siellä,sitä,jossa,mihin,mistä}'::text[])),
    total - pg_catalog.length(pg_catalog.ts_delete(words, '{ve,bir,bu,da,de,için,ile,çok,ne,o,ben,sen,biz,siz,onlar,benim,senin,onun,bizim,mi,mı,mu,mü,ama,fakat,gibi,daha,en,var,yok,değil,olarak,olan,oldu,kim,nerede,neden,nasıl,zaman,hangi,şu,ki,ya,veya,sonra,önce,kadar,her,şey,diye,ise,bana,sana,ona,beni,onu,hem,çünkü,göre,bütün,tüm,iki}'::text[])),
    total - pg_catalog.length(pg_catalog.ts_delete(words, '{a,az,és,egy,is,hogy,nem,ez,azt,ezt,van,volt,vannak,meg,de,csak,már,még,mint,ki,mi,mit,hol,mikor,hogyan,miért,melyik,én,te,ő,mi,ti,ők,el,fel,le,be,ha,vagy,akkor,után,előtt,majd,lesz,nagyon,minden,aki,ami,amely,nekem,neki,itt,ott,sem,között,szerint,ezek,azok,kell}'::text[])),
    total - pg_catalog.length(pg_catalog.ts_delete(words, '{şi,este,sunt,era,un,o,de,la,în,din,cu,pe,pentru,nu,că,să,se,ce,care,cine,cum,când,unde,eu,tu,el,ea,noi,voi,ei,ele,meu,mea,lui,lor,mai,sau,dar,a,al,ai,ale,am,are,au,fost,prin,după,până,foarte,acest,această,acesta,fi,le,îl,îi,mă,te,ne}'::text[])),
    total - pg_catalog.length(pg_catalog.ts_delete(words, '{el,la,els,les,un,una,uns,de,del,dels,i,és,són,era,en,al,als,amb,per,que,què,qui,com,quan,on,quin,no,sí,es,se,em,et,ens,jo,tu,ell,ella,nosaltres,meu,meva,seu,seva,més,però,o,molt,també,ja,hi,ha,han,va,van,aquest,aquesta,aquell,sense,des,fins,perquè,sobre,entre,l,d,n}'::text[])),
    total - pg_catalog.length(pg_catalog.ts_delete(words, '{yang,dan,di,ke,dari,untuk,dengan,ini,itu,adalah,tidak,saya,aku,kamu,anda,dia,kami,kita,mereka,akan,sudah,telah,ada,pada,dalam,oleh,atau,juga,bisa,apa,siapa,kapan,bagaimana,mengapa,mana,sebagai,karena,seperti,lebih,bukan,sangat,lagi,hanya,saat,bahwa,jika,tetapi,tapi,setelah,sebelum,para,nya}'::text[])),
    total - pg_catalog.length(pg_catalog.ts_delete(words, '{ir,yra,kad,su,į,iš,ar,bet,tai,kaip,nuo,prie,po,per,dėl,apie,buvo,bus,jis,ji,jie,mes,jūs,aš,tu,mano,tavo,jo,jos,jų,ne,nėra,tik,dar,jau,kur,kas,kada,kodėl,kuris,kuri,ką,labai,taip,už,iki,šis,ši,šio,visi,bei,kai,nes,arba,savo,man}'::text[])),
    total - pg_catalog.length(pg_catalog.ts_delete(words, '{agus,an,na,ar,ag,is,tá,bhí,níl,sé,sí,siad,mé,tú,muid,sinn,ní,go,le,do,de,ón,chun,faoi,mar,nach,nuair,cá,cad,cé,conas,seo,sin,ach,nó,bhfuil,raibh,mo,a,i,sa,san,leis,aige,aici,agam,den,don,gur,bheith,iad,é,í}'::text[])),
    total - pg_catalog.length(pg_catalog.ts_delete(words, '{eta,da,du,ez,bat,ere,dira,zen,dut,baina,edo,hau,hori,ni,zu,gu,nire,zure,bere,haren,gure,oso,zer,nor,non,noiz,nola,zergatik,zein,dago,daude,izan,egin,dituzte,ditu,dute,zuen,ziren,nuen,beste,hemen,han,orain,gero,baino,batean,naiz,gara}'::text[])),
    total - pg_catalog.length(pg_catalog.ts_delete(words, '{je,i,u,na,se,da,su,za,sa,od,do,iz,nije,sam,si,smo,ste,kao,što,šta,koji,koja,koje,ali,ili,bi,biti,bio,bila,samo,već,još,kad,kada,gde,gdje,kako,zašto,ko,tko,ja,ti,on,ona,mi,vi,oni,moj,moja,njegov,njen,po,o,ne,to,taj,ovaj,sve,vrlo,posle,nakon}'::text[]))];
  -- letters that few have
  if pg_catalog.octet_length(beginning) <> pg_catalog.length(beginning) then
    marked := pg_catalog.lower(pg_catalog.regexp_replace(beginning, '[\x01-\x7F]+', '', 'g'));
    hits[1] := hits[1] + (pg_catalog.translate(marked, 'äöüß', '') <> marked)::integer + (pg_catalog.translate(marked, 'ß', '') <> marked)::integer;
    hits[2] := hits[2] + (pg_catalog.translate(marked, 'éèêëàâçœîïôûù', '') <> marked)::integer + (pg_catalog.translate(marked, 'êëœîïûù', '') <> marked)::integer;
    hits[3] := hits[3] + (pg_catalog.translate(marked, 'ñáéíóú¿¡', '') <> marked)::integer + (pg_catalog.translate(marked, 'ñ¿¡', '') <> marked)::integer;
    hits[4] := hits[4] + (pg_catalog.translate(marked, 'àèéìòù', '') <> marked)::integer + (pg_catalog.translate(marked, 'ìò', '') <> marked)::integer;
    hits[5] := hits[5] + (pg_catalog.translate(marked, 'áâãàçéêíóôõú', '') <> marked)::integer + (pg_catalog.translate(marked, 'ãõ', '') <> marked)::integer;
    hits[7] := hits[7] + (pg_catalog.translate(marked, 'äö', '') <> marked)::integer + (pg_catalog.translate(marked, 'å', '') <> marked)::integer;
    hits[8] := hits[8] + (pg_catalog.translate(marked, 'åæø', '') <> marked)::integer;
    hits[9] := hits[9] + (pg_catalog.translate(marked, 'åæø', '') <> marked)::integer;
    hits[10] := hits[10] + (pg_catalog.translate(marked, 'äö', '') <> marked)::integer;
    hits[11] := hits[11] + (pg_catalog.translate(marked, 'öü', '') <> marked)::integer + (pg_catalog.translate(marked, 'çşğı', '') <> marked)::integer + (pg_catalog.translate(marked, 'şğı', '') <> marked)::integer;
    hits[12] := hits[12] + (pg_catalog.translate(marked, 'öü', '') <> marked)::integer + (pg_catalog.translate(marked, 'áéíóúőű', '') <> marked)::integer + (pg_catalog.translate(marked, 'őű', '') <> marked)::integer;
    hits[13] := hits[13] + (pg_catalog.translate(marked, 'ăâîşţ', '') <> marked)::integer + (pg_catalog.translate(marked, 'ăţ', '') <> marked)::integer;
    hits[14] := hits[14] + (pg_catalog.translate(marked, 'àçéèíïóòúü·', '') <> marked)::integer + (pg_catalog.translate(marked, '·', '') <> marked)::integer;
    hits[16] := hits[16] + (pg_catalog.translate(marked, 'ąčęėįšųūž', '') <> marked)::integer + (pg_catalog.translate(marked, 'ėįųū', '') <> marked)::integer;
    hits[17] := hits[17] + (pg_catalog.translate(marked, 'áéíóú', '') <> marked)::integer;
    hits[19] := hits[19] + (pg_catalog.translate(marked, 'čćžšđ', '') <> marked)::integer;
  end if;
  for n in 2 .. 19 loop
    if hits[n] > hits[best] then
      best := n;
    end if;
  end loop;
  if hits[best] >= 2 and hits[best] > english then
    return languages[best];
  end if;
  return case when english > 0 or total > 60 then 'pg_catalog.english'::regconfig end;
end $$;

-- Stems of other languages than English in Latin letters are kept apart from those of English: "care" would be "car" in French. All of them together, so that it
-- does little harm to take a language for its neighbour. Takes the text of a tsvector or a tsquery; no lexeme has a blank in it.
create function perdure_tag(text) returns text language sql immutable parallel safe as $$
  select perdure_fold(pg_catalog.ltrim(pg_catalog.replace(' ' || $1, ' ''', ' ''x:')))
$$;

-- What is written without blanks: each letter with the next one, the last by itself.
create function perdure_bigrams(text) returns tsvector language plpgsql immutable parallel safe as $$
declare
  letters constant text[] := pg_catalog.string_to_array(
    pg_catalog.regexp_replace($1, '[^' || pg_catalog.substr(perdure_unspaced(), 2) || '+', ' ', 'g'), null);
begin
  return (
    select pg_catalog.string_agg('''' || pair.letter || coalesce(nullif(pair.next, ' '), '') || ''':' || least(pair.place, 16383), ' ')
    from rows from (unnest(letters), unnest(letters[2:])) with ordinality as pair (letter, next, place) where pair.letter <> ' '
  )::tsvector;
end $$;

-- The parts of such names; versions without their v.
create function perdure_parts(text) returns text language sql immutable parallel safe as $$
  select pg_catalog.regexp_replace(pg_catalog.regexp_replace(pg_catalog.regexp_replace($1,
    '[-_./@:\\+#=&?%]+', ' ', 'g'),
    '([[:lower:]])([[:upper:]])|([[:upper:]])([[:upper:]][[:lower:]])', '\1\3 \2\4', 'g'),
    '\m[vV]([0-9]+)\M|\m([0-9]+)([[:alpha:]]{1,5})\M|\m([[:alpha:]]+)([0-9]+)\M', '\1\2\4 \3\5', 'g')
$$;

-- What a text is found by: its words in its own language. A short text that says nothing of its language has the stems of all.
create function perdure_words(text) returns tsvector language plpgsql immutable parallel safe strict set search_path from current as $$
declare
  said text := pg_catalog.left($1, 100000);
  has_identifiers constant boolean := said ~ perdure_identifier();
  is_ascii constant boolean := pg_catalog.octet_length(said) = pg_catalog.length(said);
  has_other_letters boolean := false;
  language regconfig;
  bigrams tsvector;
  others tsvector;
  words tsvector;
begin
  if not is_ascii then
    said := perdure_compose(said);
    -- a tsvector holds at most 1 MB
    if pg_catalog.octet_length(said) > 250000 then
      said := pg_catalog.left(said, 60000);
    end if;
    if said ~ perdure_unspaced() then
      bigrams := perdure_bigrams(said);
      said := pg_catalog.regexp_replace(said, perdure_unspaced() || '+', ' ', 'g');
    end if;
    has_other_letters := said ~ perdure_other_letters();
  end if;
  language := case when bigrams is not null and said !~ '[[:alpha:]]{4}' then 'pg_catalog.english'::regconfig else perdure_language(said) end;
  if language is null or language = 'pg_catalog.english'::regconfig then
    words := pg_catalog.to_tsvector('pg_catalog.english', case when is_ascii then said else perdure_fold(pg_catalog.lower(
      case when has_other_letters then pg_catalog.regexp_replace(said, perdure_other_letters() || '+', ' ', 'g') else said end)) end);
    if language is null and bigrams is null and pg_catalog.length(words) between 1 and 40 then
      words := (
        select pg_catalog.string_agg(perdure_tag(pg_catalog.to_tsvector(l.other, said)::text), ' ') from unnest(perdure_languages()) as l (other)
      ) || ' ' || words::text;
    end if;
  else
    words := pg_catalog.to_tsvector(language, said);
    if language = any(perdure_languages()) then
      words := perdure_tag(words::text);
    -- Russian has the stems of English for words in Latin letters
    elsif language <> 'pg_catalog.russian'::regconfig and said ~ '[A-Za-z]{2}' then
      words := words::text || ' ' || pg_catalog.to_tsvector('pg_catalog.english', pg_catalog.regexp_replace(said, perdure_other_letters() || '+', ' ', 'g'))::text;
    end if;
  end if;
  if has_other_letters then
    select pg_catalog.string_agg(pg_catalog.to_tsvector(l.other, said)::text, ' ') || ' ' || words::text into others
    from unnest(perdure_languages_of_letters(said)) as l (other) where l.other <> coalesce(language, 'pg_catalog.english');
    words := coalesce(others, words);
  end if;
  if has_identifiers then
    words := words || pg_catalog.to_tsvector('pg_catalog.english', (
      select perdure_parts(pg_catalog.string_agg(token.said, ' '))
      from unnest(pg_catalog.string_to_array(pg_catalog.regexp_replace(said, '[\n\r\t]+', ' ', 'g'), ' ')) as token (said)
      where token.said ~ perdure_identifier() and pg_catalog.length(token.said) <= 200));
  end if;
  return case when bigrams is null then words else words || bigrams end;
end $$;

-- How a word or phrase of a query is found: by the stems of English and of other letters, and by those of the other languages, of which either may be null. Nothing
-- where it means nothing in the language of the query, and in English where that is not known.
create function perdure_word_forms(term text, query_language regconfig) returns tsquery[] language plpgsql immutable parallel safe
set search_path from current set client_min_messages to warning as $$
declare
  said text := pg_catalog.left(term, 1000);
  letters text[];
  bigrams text;
  plain text;
  tagged text;
begin
  if pg_catalog.octet_length(said) <> pg_catalog.length(said) then
    said := perdure_compose(said);
    if said ~ perdure_unspaced() then
      -- a letter by itself is the first of any pair
      letters := pg_catalog.string_to_array(pg_catalog.btrim(pg_catalog.regexp_replace(said, '[^' || pg_catalog.substr(perdure_unspaced(), 2) || '+', ' ', 'g')), null);
      select pg_catalog.string_agg(coalesce(' <' || pair.place - pair.place_before || '> ', '') || pair.lexeme, '' order by pair.place) into bigrams
      from (
        select l.place, lag(l.place) over (order by l.place) as place_before,
          case when l.next <> ' ' then '''' || l.letter || l.next || '''' else '''' || l.letter || ''':*' end as lexeme
        from (select u.letter, u.next, u.place, lag(u.letter) over (order by u.place) as before
          from rows from (unnest(letters), unnest(letters[2:])) with ordinality as u (letter, next, place)) as l
        where l.letter <> ' ' and (l.next <> ' ' or coalesce(l.before, ' ') = ' ')) as pair;
      said := pg_catalog.regexp_replace(said, perdure_unspaced() || '+', ' ', 'g');
    end if;
  end if;
  if said ~ '[[:alnum:]]' then
    if pg_catalog.numnode(pg_catalog.phraseto_tsquery(coalesce(query_language, 'pg_catalog.english'), said)) = 0 then
      return array[bigrams, null]::tsquery[];
    end if;
    plain := nullif(pg_catalog.phraseto_tsquery('pg_catalog.english', said)::text, '');
    if pg_catalog.octet_length(said) <> pg_catalog.length(said) then
      plain := pg_catalog.concat_ws(' | ', plain, nullif(pg_catalog.phraseto_tsquery('pg_catalog.english', perdure_fold(pg_catalog.lower(said)))::text, ''), (
        select pg_catalog.string_agg(nullif(pg_catalog.phraseto_tsquery(l.language, said)::text, ''), ' | ')
        from unnest(perdure_languages_of_letters(said)) as l (language)));
    end if;
    if said ~ perdure_identifier() then
      plain := pg_catalog.concat_ws(' | ', plain, nullif(pg_catalog.phraseto_tsquery('pg_catalog.english', perdure_parts(said))::text, ''));
    end if;
    if said !~ '[A-Za-zÀ-ɏ]' then
      tagged := nullif(perdure_tag(pg_catalog.phraseto_tsquery('pg_catalog.simple', said)::text), '');
    elsif said ~ '^[[:alpha:]]+$' then
      tagged := (select pg_catalog.string_agg(distinct '''x:' || perdure_fold(stem) || '''', ' | ') from unnest(perdure_stems(said)) as stem);
    else
      tagged := (
        select pg_catalog.string_agg(distinct form.query, ' | ')
        from (select perdure_tag(pg_catalog.phraseto_tsquery(l.language, said)::text) from unnest(perdure_languages()) as l (language)) as form (query)
        where form.query <> '');
    end if;
  end if;
  return case when bigrams is null then array[plain, tagged]
    else array[coalesce('(' || plain || ') & ', '') || bigrams, '(' || tagged || ') & ' || bigrams] end::tsquery[];
end $$;

-- The same as one query; one that finds nothing where the word means nothing.
create function perdure_word_query(term text) returns tsquery language sql immutable parallel safe as $$
  select coalesce(pg_catalog.array_to_string(perdure_word_forms($1, null), ' | '), '')::tsquery
$$;

create or replace function perdure_tool_words(name text, description text, tags text[]) returns tsvector
language sql immutable parallel safe set search_path from current as $$
  select setweight(to_tsvector('english', translate(name, '_-', '  ') || case when name ~ '[[:lower:]][[:upper:]]' then ' ' || perdure_parts(name) else '' end), 'A')
    || setweight(perdure_words(array_to_string(tags, ' ')), 'B')
    || perdure_words(coalesce(left(description, 100000), ''))
$$;

-- Rows are written anew with their words, those of before too. Messages are not: they keep the stems of English, which every query asks for.
alter table passages drop column search;
alter table passages add column search tsvector not null generated always as (perdure_words(text)) stored;
create index passages_search on passages using gin (organization_id, archive_id, search);

alter table file_passages drop column search;
alter table file_passages add column search tsvector not null generated always as (perdure_words(text)) stored;
create index file_passages_search on file_passages using gin (organization_id, folder_id, search);

alter table tools drop column search;
alter table tools add column search tsvector generated always as (perdure_tool_words(name, description, tags)) stored;
